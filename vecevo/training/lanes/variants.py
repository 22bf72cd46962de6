"""What a program is made for: its lanes, all of them together, and the device."""

from typing import NamedTuple

from vecevo.training.lanes import activations, optimizers
from vecevo.training.lanes.augmentation import Augmentation
from vecevo.training.lanes.widths import LAYER_WIDTHS


class Variant(NamedTuple):
    """What a program can do, static; what none of its lanes needs is not computed."""

    activations: tuple[str, ...] = activations.NAMES  # in the order of their table
    update_levels: tuple[int, ...] = optimizers.LEVELS  # that it chooses from
    # Hyperparameters that some lane has another value of than the one at which they do
    # nothing; None: any.
    pieces: tuple[str, ...] | None = None
    pads_width: bool = True  # some lanes are narrower than the program
    pads_depth: bool = True  # some lanes are shallower
    augmentation: Augmentation | None = None  # of images; None: they stay as they are
    metric: str | None = None  # that lanes are judged and stopped by; None: their loss
    # Whether products and updates suit a CPU, and lanes are taken from its memory. A
    # GPU computes the same by such a program, in more time.
    is_for_cpu: bool = True

    @property
    def has_layer_widths(self) -> bool:
        """Whether layers of some lane may have units of their own; then all may."""
        return self.has(LAYER_WIDTHS[0])

    def has(self, piece: str) -> bool:
        """Whether some lane may need what a hyperparameter does."""
        return self.pieces is None or piece in self.pieces
