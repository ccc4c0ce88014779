"""From a list of samples to one batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from graphc.errors import DTypeError, ShapeError
from graphc.frontend.base import concrete
from graphc.frontend.functions.creation import tensor
from graphc.frontend.functions.shaping import stack
from graphc.frontend.tensor import Tensor
from graphc.provenance import user_location_text


def default_collate(batch: Sequence[Any]) -> Any:
    """Join samples of one structure along a new first dim.

    Args:
        batch: tensors, arrays and numbers become one tensor; texts stay as they are; dicts, lists,
            tuples and named tuples of these are joined part by part.

    Raises:
        ShapeError: if the samples' structures differ in size.
        DTypeError: for another type.

    Source: ``torch.utils.data.default_collate``. As there, floats become float64 and tuples lists.

    Example:
        >>> from graphc.utils.data import default_collate
        >>> default_collate([{"x": 1, "name": "a"}, {"x": 2, "name": "b"}])
        {'x': tensor([1, 2]), 'name': ['a', 'b']}
    """
    first = batch[0]
    if isinstance(first, Tensor):
        return stack(batch)
    if isinstance(first, np.ndarray | np.generic):
        return concrete(np.stack(batch))
    if isinstance(first, float):
        return tensor(batch, dtype="float64")
    if isinstance(first, int):
        return tensor(batch)
    if isinstance(first, str | bytes):
        return batch
    if isinstance(first, Mapping):
        return {key: default_collate([sample[key] for sample in batch]) for key in first}
    if isinstance(first, Sequence):
        return _collate_parts(first, batch)
    raise DTypeError(
        "default_collate: samples of this type cannot be joined", got=type(first).__name__,
        fix="give the loader a collate_fn", where=user_location_text(),
    )  # fmt: skip


def _collate_parts(first: Sequence[Any], batch: Sequence[Any]) -> Any:
    if any(len(sample) != len(first) for sample in batch):
        raise ShapeError(
            "default_collate: samples have different numbers of parts",
            got=str(sorted({len(sample) for sample in batch})), where=user_location_text(),
        )  # fmt: skip
    parts = [default_collate(part) for part in zip(*batch, strict=True)]
    return type(first)(*parts) if hasattr(first, "_fields") else parts
