"""The specification of changed images: one image after the other.

The contract of the random keys: with a = fold_in(order_key, 2^32 - 2) and
e = fold_in(a, epoch), flips draw bits [N] from fold_in(a, 2^32 - 1), shifts whole
numbers [N, 2] from fold_in(e, 1), corners of squares likewise from fold_in(e, 2), and
shares of mixtures [S] from fold_in(e, 3).
"""

from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np


def augment(
    x: np.ndarray,
    order_key: jax.Array,
    epoch: int,
    *,
    shape: tuple[int, int, int],
    names: Sequence[str],
) -> np.ndarray:
    """Returns all examples [N, F] as an epoch shows them."""
    height, width, _ = shape
    root = jax.random.fold_in(order_key, 2**32 - 2)
    key = jax.random.fold_in(root, epoch)
    bits = jax.random.bits(jax.random.fold_in(root, 2**32 - 1), (len(x),))
    most, size = int(np.ceil(height / 16)), int(np.ceil(height / 4))
    shifts = jax.random.randint(
        jax.random.fold_in(key, 1), (len(x), 2), -most, most + 1
    )
    last = jnp.array([height - size + 1, width - size + 1])
    corners = jax.random.randint(jax.random.fold_in(key, 2), (len(x), 2), 0, last)
    changed = []
    for image, bit, shift, corner in zip(x, bits, shifts, corners, strict=True):
        image = np.array(image).reshape(shape)
        if "flip" in names and (int(bit) + epoch) % 2:
            image = image[:, ::-1]
        if "shift" in names:
            padded = np.pad(image, [(most, most), (most, most), (0, 0)], mode="edge")
            top, left = (int(s) + most for s in shift)
            image = padded[top : top + height, left : left + width]
        if "cutout" in names:
            image, (top, left) = image.copy(), corner
            image[top : top + size, left : left + size] = 0
        changed.append(image.reshape(-1))
    return np.stack(changed)


def mixture_shares(
    order_key: jax.Array, epoch: int, alpha: float, num_steps: int
) -> jax.Array:
    """Returns float[S], the shares of an epoch's steps."""
    key = jax.random.fold_in(jax.random.fold_in(order_key, 2**32 - 2), epoch)
    return jax.random.beta(jax.random.fold_in(key, 3), alpha, alpha, (num_steps,))
