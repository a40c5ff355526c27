"""What a variant handle stands for when it is a list of tensors, of which ``tf.TensorArray`` is made."""

from __future__ import annotations

from dataclasses import dataclass

from assay.converters.tensorflow.tensor import Dim, Shape, Symbol, Tensor


@dataclass(frozen=True, eq=False)
class TensorList:
    """A list of tensors of one shape, held as one tensor with the list's axis first.

    ``element`` is what is known of the shape of an element, ``length`` the number of elements as an integer scalar.
    ``dense`` is None while nothing was written: TensorFlow then reads zeros.
    """

    dtype: str
    element: Shape | None
    length: Tensor
    dense: Tensor | None = None

    @property
    def size(self) -> Dim:
        """The number of elements as far as it is known."""
        return self.length.sizes[0] if self.length.sizes else Symbol()

    @property
    def static_element(self) -> tuple[int, ...] | None:
        """The shape of an element where every axis has a known size."""
        return fixed(self.element)


@dataclass(frozen=True, eq=False)
class Collector:
    """Stands in a loop's body for a list to which each iteration adds one element; nothing reads it there."""

    dtype: str
    element: Shape | None


@dataclass(frozen=True, eq=False)
class Collected:
    """What an iteration has added to a `Collector`."""

    value: Tensor


def fixed(shape: Shape | None) -> tuple[int, ...] | None:
    """The shape as numbers, where all are known."""
    if shape is None or any(isinstance(dim, Symbol) for dim in shape):
        return None
    return tuple(dim for dim in shape if isinstance(dim, int))


def handle(content: TensorList | Collector | Collected) -> Tensor:
    """The variant tensor that stands for it."""
    return Tensor("variant", (), resource=content)
