"""Changed images against the specification, and who may not have them."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import vecevo
from tests.training import test_epochs as plain
from vecevo.training import reference, settings
from vecevo.training.lanes import augmentation, variants
from vecevo.training.reference.augmentation import augment, mixture_shares

SHAPE = (6, 2, 1)  # of test_epochs' 12 features
KEY = jax.random.key(5)


@pytest.mark.parametrize(
    "names", [("flip",), ("shift",), ("cutout",), augmentation.NAMES]
)
@pytest.mark.parametrize("shape", [(9, 7, 1), (8, 8, 3)])
def test_images_are_changed_as_specified(names, shape):
    rng = np.random.default_rng(0)
    x = rng.integers(1, 256, (20, np.prod(shape)), np.uint8)
    done = augmentation.Augmentation(shape, names)
    order = rng.permutation(20)
    seen = []
    for epoch in range(3):
        expected = augment(x, KEY, epoch, shape=shape, names=names)
        drawn = augmentation.draw(
            done, KEY, jnp.array(epoch), num_examples=20, num_steps=2
        )
        changed = augmentation.change(
            done, drawn, jnp.array(order), jnp.array(x)[order]
        )
        np.testing.assert_array_equal(changed, expected[order])
        seen.append(expected)
    assert (seen[0] != x).any() and (seen[0] != seen[1]).any()
    if names == ("flip",):
        np.testing.assert_array_equal(seen[0], seen[2])


def test_lanes_learn_changed_images_as_the_reference():
    done = augmentation.Augmentation(SHAPE, augmentation.NAMES)
    values = (7, 2, "relu", "adam", 0.01, 0.2, 0.0)
    network = dict(zip(plain.NAMES, values, strict=True))
    with jax.enable_x64(True):
        data = plain.make_data()
        state, reports = plain.train_lanes(
            plain.make_lanes([network]),
            *(data,),
            **{"width": 8, "depth": 2, "num_epochs": 3},
            variant=variants.Variant(augmentation=done),
        )
        params, _, history = plain.train_reference(
            *(network, plain.network_key(0), data, 3),
            change_fn=lambda x, epoch: jnp.array(
                augment(x, plain.ORDER_KEY, epoch, shape=SHAPE, names=done.names)
            ),
        )
        np.testing.assert_allclose(
            state.params["output"]["bias"][0], params["output"]["bias"], atol=1e-8
        )
        curves = [[r.train_loss[0], r.validation_loss[0]] for r in reports]
        np.testing.assert_allclose(curves, history[:, [0, 2]], atol=1e-8)


def test_mixed_examples_have_mixed_labels():
    """A step of plain descent moves weights by the gradient of soft labels."""
    alpha, num = 0.7, 11  # fewer examples than a minibatch has places
    done = augmentation.Augmentation(SHAPE, mixup=alpha)
    network = dict(zip(plain.NAMES, (5, 1, "tanh", "sgd", 1.0, 0.0, 0.0), strict=True))
    with jax.enable_x64(True):
        data = plain.make_data(num_train=num, dtype=np.float64)
        state, _ = plain.train_lanes(
            plain.make_lanes([network]),
            *(data,),
            **{"width": 5, "depth": 1, "num_epochs": 1},
            variant=variants.Variant(augmentation=done),
        )
        order = jax.random.permutation(jax.random.fold_in(plain.ORDER_KEY, 0), num)
        (share,) = mixture_shares(plain.ORDER_KEY, 0, alpha, 1)
        assert 0 < share < 1
        x, y = data.x_train[order], jax.nn.one_hot(data.y_train[order], 4)
        x, y = (share * a + (1 - share) * jnp.roll(a, -1, axis=0) for a in (x, y))
        module = reference.MLP([5], "tanh", 4, 0.0)
        init_key, _ = reference.split_network_key(plain.network_key(0))
        params = module.init(init_key, x)["params"]

        def loss(params):
            logits = module.apply({"params": params}, x)
            return optax.softmax_cross_entropy(logits, y).mean()

        moved = jax.tree.map(lambda p, g: p - g, params, jax.grad(loss)(params))
        for layer, name in (("hidden_0", "kernel"), ("output", "bias")):
            ours = np.asarray(state.params[layer][name][0]).T
            np.testing.assert_allclose(ours, moved[layer][name], atol=1e-10)


def make_images(name="pictures"):
    rng = np.random.default_rng(0)
    x = rng.integers(0, 256, (90, 6, 6), np.uint8)
    return vecevo.make_dataset(x, np.arange(90) % 3, name=name)


def test_what_is_no_image_or_a_digit_is_refused():
    images, table = (
        make_images(),
        vecevo.make_dataset(
            np.random.default_rng(0).random((90, 4)), np.arange(90) % 3
        ),
    )
    done = settings.make_augmentation(
        settings.resolve({"augment": ("cutout", "flip"), "mixup": 0.2}, images), images
    )
    assert done == augmentation.Augmentation((6, 6, 1), ("flip", "cutout"), 0.2)
    assert settings.make_augmentation(settings.resolve({}, images), images) is None
    with pytest.raises(ValueError, match=r"augment=.*for images.*leave it out"):
        settings.resolve({"augment": ("shift",)}, table)
    assert settings.resolve({"mixup": 0.2}, table).mixup == 0.2
    with pytest.raises(ValueError, match="'turn' is no augmentation: use cutout, flip"):
        settings.resolve({"augment": ("turn",)}, images)
    with pytest.raises(ValueError, match="mixup=-1 must be a number from 0 up"):
        settings.resolve({"mixup": -1}, images)
    digits = make_images("mnist")
    with pytest.raises(ValueError, match=r"mirror the digits of mnist.*flip-anyway"):
        settings.resolve({"augment": ("flip",)}, digits)
    resolved = settings.resolve({"augment": ("flip-anyway",)}, digits)
    assert settings.make_augmentation(resolved, digits).names == ("flip",)


def test_a_run_with_changed_images_trains_and_can_be_repeated():
    networks = [{"width": 8, "depth": 1, "activation": "relu", "optimizer": "adam"}]
    how = {"augment": ["flip", "shift", "cutout"], "mixup": 0.3, "max_epochs": 2}
    one, other = (
        vecevo.train_networks(networks, make_images(), **how)[0] for _ in range(2)
    )
    plainly = vecevo.train_networks(networks, make_images(), max_epochs=2)[0]
    np.testing.assert_array_equal(one.curves["train_loss"], other.curves["train_loss"])
    assert (one.curves["train_loss"] != plainly.curves["train_loss"]).all()
