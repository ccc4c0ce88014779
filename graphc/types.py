"""The types of values: a tensor's shape and dtype, or a tuple of such types."""

from __future__ import annotations

from dataclasses import dataclass

from graphc.dims import Shape, Size
from graphc.dtypes import DType
from graphc.shapes import is_static, numel, shape_text


@dataclass(frozen=True, slots=True)
class TensorType:
    """Shape and dtype of a tensor.

    Args:
        shape: sizes, each an ``int`` or a ``Dim``.
        dtype: the element type.

    Example:
        >>> from graphc.dtypes import float32
        >>> print(TensorType((2, 3), float32))
        f32[2,3]
    """

    shape: Shape
    dtype: DType

    @property
    def rank(self) -> int:
        """The number of dims."""
        return len(self.shape)

    @property
    def numel(self) -> Size:
        """The number of elements."""
        return numel(self.shape)

    @property
    def static_shape(self) -> tuple[int, ...]:
        """The shape as ints; raises ShapeError if a size is unknown."""
        return tuple(int(size) for size in self.shape)

    @property
    def is_static(self) -> bool:
        """True if every size is known."""
        return is_static(self.shape)

    @property
    def nbytes(self) -> int:
        """Bytes of a contiguous tensor of this type; raises ShapeError if a size is unknown."""
        return int(numel(self.shape)) * self.dtype.itemsize

    def with_shape(self, shape: Shape) -> TensorType:
        """The same dtype with another shape."""
        return TensorType(shape, self.dtype)

    def with_dtype(self, dtype: DType) -> TensorType:
        """The same shape with another dtype."""
        return TensorType(self.shape, dtype)

    def __str__(self) -> str:
        return f"{self.dtype.short}{shape_text(self.shape)}"


@dataclass(frozen=True, slots=True)
class TupleType:
    """The type of a node with several outputs."""

    items: tuple[TensorType, ...]

    def __str__(self) -> str:
        return "(" + ", ".join(map(str, self.items)) + ")"


Type = TensorType | TupleType
