"""Sequences of several lengths as one tensor without padding."""

from __future__ import annotations

from typing import Any, NamedTuple, Self

from graphc.dtypes import float16, float32, float64, int8, int16, int32, int64, uint8
from graphc.errors import ArgumentTypeError
from graphc.frontend.base import is_tensor
from graphc.frontend.compile.host_tensor import HostTensor
from graphc.frontend.functions.convert import require_tensor
from graphc.frontend.functions.creation import arange, zeros_like
from graphc.frontend.functions.scattering import scatter
from graphc.frontend.tensor import Tensor
from graphc.provenance import user_location_text


def invert_permutation(permutation: Tensor | None) -> Tensor | None:
    """The permutation that takes another one back (``torch.nn.utils.rnn.invert_permutation``).

    Args:
        permutation: indices, each once; None stays None.

    Example:
        >>> import graphc as gc
        >>> gc.nn.utils.rnn.invert_permutation(gc.tensor([2, 0, 1]))
        tensor([1, 2, 0])
    """
    if permutation is None:
        return None
    order = require_tensor("invert_permutation", permutation)
    return scatter(zeros_like(order), 0, order, arange(order.shape[0], dtype=order.dtype))


class _Fields(NamedTuple):
    data: Tensor
    batch_sizes: Tensor
    sorted_indices: Tensor | None
    unsorted_indices: Tensor | None


class PackedSequence(_Fields):
    """The rows of several sequences, step by step (``torch.nn.utils.rnn.PackedSequence``).

    ``pack_padded_sequence`` and ``pack_sequence`` make one. Recurrent layers read it. A compiled
    function that gets one as an argument is traced for its ``batch_sizes``.

    Args:
        data: the rows: the first step of all sequences, longest first, then the second one of
            those that have one, and so on.
        batch_sizes: how many sequences have each step.
        sorted_indices: where each sequence was before they were sorted by length.
        unsorted_indices: the inverse permutation; default: computed.

    Raises:
        ArgumentTypeError: without ``batch_sizes``, unless ``data`` is a pair of both.
    """

    __slots__ = ()

    def __new__(
        cls, data: Tensor, batch_sizes: Tensor | None = None,
        sorted_indices: Tensor | None = None, unsorted_indices: Tensor | None = None,
    ) -> Self:  # fmt: skip
        rows: Any = data
        if batch_sizes is None:
            if not isinstance(rows, list | tuple) or len(rows) != 2:
                raise ArgumentTypeError(
                    "PackedSequence: expected data and batch_sizes", got=type(rows).__name__,
                    fix="use pack_padded_sequence or pack_sequence", where=user_location_text(),
                )  # fmt: skip
            rows, batch_sizes = rows
        if unsorted_indices is None:
            unsorted_indices = invert_permutation(sorted_indices)
        if is_tensor(batch_sizes) and batch_sizes.node is None:
            batch_sizes = HostTensor(batch_sizes)
        return super().__new__(cls, rows, batch_sizes, sorted_indices, unsorted_indices)

    def __getnewargs__(self) -> tuple[Any, ...]:
        return tuple(self)

    def to(self, *args: Any, **kwargs: Any) -> Self:
        """The same with ``data.to(...)``; itself if that changes nothing."""
        data = self.data.to(*args, **kwargs)
        return self if data is self.data else type(self)(data, *self[1:])

    def cpu(self) -> Self:
        """Itself: there is no other device."""
        return self

    def cuda(self, *args: Any, **kwargs: Any) -> Self:
        """Refused, as ``to("cuda")`` is."""
        return self.to("cuda", *args, **kwargs)

    def pin_memory(self) -> Self:
        """Itself: no memory is pinned, as there is no device to copy to."""
        return self

    def double(self) -> Self:
        """The same with float64 data."""
        return self.to(float64)

    def float(self) -> Self:
        """The same with float32 data."""
        return self.to(float32)

    def half(self) -> Self:
        """The same with float16 data."""
        return self.to(float16)

    def long(self) -> Self:
        """The same with int64 data."""
        return self.to(int64)

    def int(self) -> Self:
        """The same with int32 data."""
        return self.to(int32)

    def short(self) -> Self:
        """The same with int16 data."""
        return self.to(int16)

    def char(self) -> Self:
        """The same with int8 data."""
        return self.to(int8)

    def byte(self) -> Self:
        """The same with uint8 data."""
        return self.to(uint8)

    @property
    def is_cuda(self) -> bool:
        """False: there is no other device."""
        return False

    def is_pinned(self) -> bool:
        """False: no memory is pinned."""
        return False
