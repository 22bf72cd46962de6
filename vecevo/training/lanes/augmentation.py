"""Images changed while they are learned: mirrored, shifted, in part blank, or mixed.

All lanes of a cohort see the same changed minibatch: these are settings of a run, and
no hyperparameters. What is drawn depends on the example and the epoch alone.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp

NAMES = ("flip", "shift", "cutout")  # in the order in which they are done
MIXUP = len(NAMES)  # the number whose fold of an epoch's key mixup draws from
SHIFT, CUTOUT = 16, 4  # a shift is of at most 1 / 16 of an image, a square of 1 / 4


class Augmentation(NamedTuple):
    """What is done to images; static."""

    shape: tuple[int, int, int]  # height, width, channels
    names: tuple[str, ...] = ()  # of NAMES
    mixup: float = 0.0  # alpha of the beta distribution; 0: none are mixed

    @property
    def most_shift(self) -> int:
        """Pixels."""
        return -(-self.shape[0] // SHIFT)

    @property
    def cutout_size(self) -> int:
        """Pixels, of height and width."""
        return -(-self.shape[0] // CUTOUT)


class Drawn(NamedTuple):
    """What is drawn for an epoch of N examples in S steps."""

    is_flipped: jax.Array  # bool[N]
    shift: jax.Array  # int32[N, 2], rows and columns that pixels come from, less theirs
    corner: jax.Array  # int32[N, 2], of the blank square
    share: jax.Array  # float[S], of an example in its mixture with the next


def draw(
    augmentation: Augmentation,
    order_key: jax.Array,
    epoch: jax.Array,
    *,
    num_examples: int,
    num_steps: int,
) -> Drawn:
    """Draws for an epoch.

    Half of the images are mirrored in the first epoch, the others in the second, and
    so on: each is seen both ways in two epochs (Jordan, "94 % on CIFAR-10 in 3.29
    seconds", 2024).

    Args:
      augmentation: static.
      order_key: random key of the order of examples; folds of it with small numbers
        are in use.
      epoch: int32[], counted from 0.
      num_examples, num_steps: static.
    """
    height, width, _ = augmentation.shape
    root = jax.random.fold_in(order_key, 2**32 - 2)
    of_run = jax.random.fold_in(root, 2**32 - 1)
    keys = jax.vmap(jax.random.fold_in, (None, 0))(
        jax.random.fold_in(root, epoch), jnp.arange(MIXUP + 1)
    )
    pairs, most = (num_examples, 2), augmentation.most_shift
    is_odd = jax.random.bits(of_run, (num_examples,)) & 1 == 1
    alpha = augmentation.mixup or 1.0
    size = augmentation.cutout_size
    last = jnp.array([height, width]) - size + 1
    return Drawn(
        is_flipped=is_odd ^ (epoch % 2 == 1),
        shift=jax.random.randint(keys[1], pairs, -most, most + 1),
        corner=jax.random.randint(keys[2], pairs, 0, last),
        share=jax.random.beta(keys[MIXUP], alpha, alpha, (num_steps,)),
    )


def change(
    augmentation: Augmentation, drawn: Drawn, indices: jax.Array, x: jax.Array
) -> jax.Array:
    """Returns a minibatch [B, F] of images, mirrored, shifted and in part blank.

    A shift repeats the pixels at an edge; a blank square is of zeros.

    Args:
      augmentation: static.
      drawn: for the epoch.
      indices: int32[B], of the examples.
      x: [B, F], their pixels by row, column and channel.
    """
    height, width, _ = augmentation.shape
    names, images = augmentation.names, x.reshape(-1, *augmentation.shape)
    rows, columns = jnp.arange(height)[None], jnp.arange(width)[None]
    if "shift" in names:
        shift = drawn.shift[indices]
        rows = jnp.clip(rows + shift[:, :1], 0, height - 1)
        columns = jnp.clip(columns + shift[:, 1:], 0, width - 1)
    if "flip" in names:
        is_flipped = drawn.is_flipped[indices][:, None]
        columns = jnp.where(is_flipped, width - 1 - columns, columns)
    if "shift" in names or "flip" in names:
        number = jnp.arange(len(images))[:, None, None]
        images = images[number, rows[:, :, None], columns[:, None, :]]
    if "cutout" in names:
        corner, size = drawn.corner[indices], augmentation.cutout_size
        rows = jnp.arange(height) - corner[:, :1]
        columns = jnp.arange(width) - corner[:, 1:]
        is_row, is_column = ((c >= 0) & (c < size) for c in (rows, columns))
        is_blank = is_row[:, :, None, None] & is_column[:, None, :, None]
        images = jnp.where(is_blank, 0, images)
    return images.reshape(x.shape)


def partners(weights: jax.Array) -> jax.Array:
    """Returns int32[B]: the place of the next example of a minibatch, round in a ring.

    Args:
      weights: float[B], 0 for the padding at the end.
    """
    return (jnp.arange(len(weights)) + 1) % jnp.sum(weights > 0)
