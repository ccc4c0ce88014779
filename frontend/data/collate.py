"""From a list of samples to one batch."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable, Mapping, MutableMapping, MutableSequence, Sequence
from typing import Any

import numpy as np

from graphc.errors import DTypeError, ShapeError
from graphc.frontend.functions.creation import as_tensor, tensor
from graphc.frontend.functions.pieces import stack
from graphc.frontend.tensor import Tensor
from graphc.provenance import user_location_text

Rules = dict[Any, Callable[..., Any]]


def default_collate(batch: Sequence[Any]) -> Any:
    """Join samples of one structure along a new first dim.

    Args:
        batch: tensors, arrays and numbers become one tensor; texts stay as they are; dicts, lists,
            tuples, named tuples and dataclasses of these are joined part by part.

    Raises:
        ShapeError: if the samples' structures differ in size.
        DTypeError: for another type.

    Source: ``torch.utils.data.default_collate``. As there, floats become float64 and tuples lists.

    Example:
        >>> from graphc.utils.data import default_collate
        >>> default_collate([{"x": 1, "name": "a"}, {"x": 2, "name": "b"}])
        {'x': tensor([1, 2]), 'name': ['a', 'b']}
    """
    return collate(batch, collate_fn_map=default_collate_fn_map)


def collate(batch: Sequence[Any], *, collate_fn_map: Rules | None = None) -> Any:
    """Join samples part by part, each kind of part by its rule.

    Args:
        batch: samples of one structure; the first one's types decide.
        collate_fn_map: functions by type, or by tuple of types, which are called with the parts
            and ``collate_fn_map=``. A type's own function comes first, then its base classes' in
            the order of the dict.

    Raises:
        ShapeError: if the samples' structures differ in size.
        DTypeError: for a type without a rule.

    Source: ``torch.utils.data._utils.collate.collate``. What is added to
    ``default_collate_fn_map`` counts for ``default_collate``, too.

    Example:
        >>> from graphc.utils.data import collate
        >>> collate([(1, "a"), (2, "b")], collate_fn_map={
        ...     int: lambda batch, *, collate_fn_map: sum(batch),
        ...     str: lambda batch, *, collate_fn_map: "".join(batch),
        ... })
        [3, 'ab']
    """
    first = batch[0]
    kind = type(first)
    rules = collate_fn_map or {}
    if kind in rules:
        return rules[kind](batch, collate_fn_map=collate_fn_map)
    for base, rule in rules.items():
        if isinstance(first, base):
            return rule(batch, collate_fn_map=collate_fn_map)

    def join(parts: Sequence[Any]) -> Any:
        return collate(parts, collate_fn_map=collate_fn_map)

    if isinstance(first, Mapping):
        return _mapping(first, {key: join([sample[key] for sample in batch]) for key in first})
    if isinstance(first, Sequence):
        if any(len(sample) != len(first) for sample in batch):
            raise ShapeError(
                "default_collate: samples have different numbers of parts",
                got=str(sorted({len(sample) for sample in batch})), where=user_location_text(),
            )  # fmt: skip
        return _sequence(first, [join(parts) for parts in zip(*batch, strict=True)])
    if dataclasses.is_dataclass(first) and not isinstance(first, type):
        return _fields(first, lambda name: join([getattr(sample, name) for sample in batch]))
    raise DTypeError(
        "default_collate: samples of this type cannot be joined", got=kind.__name__,
        expected="tensors, numpy arrays, numbers, texts, dicts, lists, tuples or dataclasses",
        fix="give the loader a collate_fn", where=user_location_text(),
    )  # fmt: skip


def default_convert(data: Any) -> Any:
    """Turn the arrays in one sample into tensors; the rest stays as it is.

    Args:
        data: a sample; dicts, lists, tuples and dataclasses are converted part by part.

    Source: ``torch.utils.data.default_convert``. As there, tuples become lists.

    Example:
        >>> import numpy as np
        >>> from graphc.utils.data import default_convert
        >>> default_convert({"x": np.arange(2), "name": "a"})
        {'x': tensor([0, 1]), 'name': 'a'}
    """
    if isinstance(data, Tensor | str | bytes):
        return data
    if isinstance(data, np.ndarray | np.generic):
        return data if data.dtype.kind in _NO_NUMBERS else as_tensor(data)
    if isinstance(data, Mapping):
        return _mapping(data, {key: default_convert(data[key]) for key in data})
    if isinstance(data, Sequence):
        return _sequence(data, [default_convert(part) for part in data])
    if dataclasses.is_dataclass(data) and not isinstance(data, type):
        return _fields(data, lambda name: default_convert(getattr(data, name)))
    return data


_NO_NUMBERS = "USO"
"""numpy's kinds of texts, bytes and objects."""


def _mapping(like: Mapping[Any, Any], parts: dict[Any, Any]) -> Any:
    """A mapping of the same type, which may have more to it than its items."""
    try:
        if isinstance(like, MutableMapping):
            made = copy.copy(like)
            made.update(parts)
            return made
        return type(like)(parts)  # type: ignore[call-arg]  # most mappings are made of a dict
    except TypeError:  # it cannot be made so
        return parts


def _sequence(like: Sequence[Any], parts: list[Any]) -> Any:
    """A sequence of the same type; tuples become lists, as in PyTorch."""
    if isinstance(like, tuple):
        return type(like)(*parts) if hasattr(like, "_fields") else parts
    try:
        if isinstance(like, MutableSequence):
            made = copy.copy(like)
            for place, part in enumerate(parts):
                made[place] = part
            return made
        return type(like)(parts)  # type: ignore[call-arg]  # most sequences are made of a list
    except TypeError:  # it cannot be made so, e.g. a range
        return parts


def _fields(like: Any, part: Callable[[str], Any]) -> Any:
    """A copy of a dataclass, a frozen one, too, with other values in its fields."""
    made = copy.copy(like)
    for field in dataclasses.fields(like):
        object.__setattr__(made, field.name, part(field.name))
    return made


def _join_tensors(batch: Sequence[Any], *, collate_fn_map: Rules | None) -> Tensor:
    return stack(batch)


def _join_arrays(batch: Sequence[Any], *, collate_fn_map: Rules | None) -> Any:
    if batch[0].dtype.kind in _NO_NUMBERS:
        raise DTypeError(
            "default_collate: arrays of this dtype cannot be joined", got=str(batch[0].dtype),
            fix="give the loader a collate_fn", where=user_location_text(),
        )  # fmt: skip
    if collate_fn_map is not None and collate_fn_map.get(Tensor) is not _join_tensors:
        return collate([as_tensor(array) for array in batch], collate_fn_map=collate_fn_map)
    if len({array.shape for array in batch}) != 1:
        raise ShapeError(
            "default_collate: samples have different shapes",
            got=", ".join(str(list(array.shape)) for array in batch[:5]),
            where=user_location_text(),
        )  # fmt: skip
    return as_tensor(np.stack(batch))


def _join_numpy_numbers(batch: Sequence[Any], *, collate_fn_map: Rules | None) -> Tensor:
    return as_tensor(np.asarray(batch))


def _join_floats(batch: Sequence[Any], *, collate_fn_map: Rules | None) -> Tensor:
    return tensor(batch, dtype="float64")


def _join_ints(batch: Sequence[Any], *, collate_fn_map: Rules | None) -> Tensor:
    return tensor(batch)


def _keep_texts(batch: Sequence[Any], *, collate_fn_map: Rules | None) -> Any:
    return batch


default_collate_fn_map: Rules = {
    Tensor: _join_tensors,
    np.ndarray: _join_arrays,
    (np.bool_, np.number, np.object_): _join_numpy_numbers,
    float: _join_floats,
    int: _join_ints,
    str: _keep_texts,
    bytes: _keep_texts,
}
"""What ``default_collate`` does with each type; a program may add to it."""
