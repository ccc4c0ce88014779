"""Batches between processes: the structure is pickled, the arrays' bytes go beside it."""

from __future__ import annotations

import io
import pickle
from collections.abc import Sequence
from typing import Any

import numpy as np

from graphc.frontend.making import concrete
from graphc.frontend.tensor import Tensor
from graphc.storage import Array

_SMALL = 256
"""Arrays below so many bytes are pickled with the structure."""


class _Packer(pickle.Pickler):
    def reducer_override(self, obj: Any) -> Any:
        kind = type(obj)
        if kind is np.ndarray:
            if obj.nbytes < _SMALL or obj.dtype.hasobject:
                return NotImplemented
            # the buffer of a read-only array would be read-only on the other side
            plain = obj.flags.c_contiguous and obj.flags.writeable
            values = obj if plain else obj.copy(order="C")
            content = pickle.PickleBuffer(values.reshape(-1).view(np.uint8))
            return _array, (content, obj.dtype, obj.shape)
        if kind is Tensor and _is_only_values(obj):
            return concrete, (obj.storage.array,)
        return NotImplemented


def _is_only_values(x: Tensor) -> bool:
    return (
        x.node is None and not x.requires_grad and x.grad is None and not x.is_state
        and not getattr(x, "__dict__", None)
    )  # fmt: skip


def _array(content: Any, dtype: np.dtype[Any], shape: tuple[int, ...]) -> Array:
    return np.frombuffer(content, dtype).reshape(shape)


def pack(batch: Any) -> tuple[bytes, list[memoryview]]:
    """Return a batch's structure, and the bytes of its larger arrays.

    Raises:
        PicklingError: or what pickle raises, for an object that it cannot store.
    """
    buffers: list[pickle.PickleBuffer] = []
    stream = io.BytesIO()
    _Packer(stream, protocol=5, buffer_callback=buffers.append).dump(batch)
    return stream.getvalue(), [buffer.raw() for buffer in buffers]


def unpack(structure: bytes, buffers: Sequence[Any]) -> Any:
    """The batch that ``pack`` took apart; its arrays lie in the buffers.

    Example:
        >>> import numpy as np
        >>> structure, buffers = pack({"x": np.arange(100), "name": "a"})
        >>> len(buffers), unpack(structure, buffers)["x"][-1]
        (1, np.int64(99))
    """
    return pickle.loads(structure, buffers=buffers)
