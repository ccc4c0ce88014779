"""Samples of PyTorch's operator database as arguments for graphc."""

import inspect
import traceback
import types
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest import mock

import numpy as np
import pytest

import graphc as gc
from tests.torch_oracle import from_torch

torch = pytest.importorskip("torch")

Arguments = tuple[tuple[Any, ...], dict[str, Any]]
ARGUMENTS_OF_DEVICES = ("device", "layout", "memory_format", "pin_memory")
"""What a sample may say about where and how a tensor lies; graphc has one answer."""


class NotForGraphcError(Exception):
    """A sample uses what graphc has none of: sparse tensors, generators, layouts."""


@dataclass
class Sample:
    """One call, for both.

    Args:
        theirs: positional and keyword arguments of PyTorch's function.
        ours: the same for graphc's.
        leaves: the tensors among them, in pairs.
    """

    theirs: Arguments
    ours: Arguments
    leaves: list[tuple[Any, gc.Tensor]] = field(default_factory=list)

    def __str__(self) -> str:
        return f"{_shown(self.theirs[0])} {_shown(self.theirs[1])}"

    @property
    def trained(self) -> list[tuple[Any, gc.Tensor]]:
        """The leaves that require gradients."""
        return [pair for pair in self.leaves if pair[0].requires_grad]


def samples_of(op: Any, dtype: Any, *, grads: bool, most: int) -> Iterator[Sample]:
    """The samples of an operator that mean something to graphc.

    Args:
        op: the operator in PyTorch's database.
        dtype: PyTorch's dtype of its main inputs.
        grads: whether inputs require gradients.
        most: how many samples are looked at.
    """
    with _without_stacks():
        torch.manual_seed(0)
        samples = op.sample_inputs("cpu", dtype, requires_grad=grads)
    for _ in range(most):
        with _without_stacks():
            sample = next(samples, None)
        if sample is None:
            return
        args, kwargs = (sample.input, *sample.args), sample.kwargs
        leaves: list[tuple[Any, gc.Tensor]] = []
        kept = {name: value for name, value in kwargs.items() if name not in ARGUMENTS_OF_DEVICES}
        try:
            ours = (translated(args, leaves), translated(kept, leaves))
        except NotForGraphcError:
            continue
        yield Sample((args, kwargs), ours, leaves)


@contextmanager
def _without_stacks() -> Iterator[None]:
    """Draw samples in a fifth of the time.

    PyTorch looks through all frames for a unittest that asked, of which there is none, and notes
    them with each seed that devices would get which nobody uses.
    """
    with (
        mock.patch.object(inspect, "stack", list),
        mock.patch.object(traceback, "format_stack", list),
    ):
        yield


def translated(value: Any, leaves: list[tuple[Any, gc.Tensor]]) -> Any:
    """A value of PyTorch's as graphc's.

    Args:
        value: an argument, also a structure of them.
        leaves: gets each tensor in both forms.

    Raises:
        NotForGraphcError: if graphc has no such thing.
    """
    match value:
        case torch.Tensor():
            return _tensor(value, leaves)
        case torch.dtype():
            return _dtype(value)
        case torch.device():
            return str(value)
        case torch.layout() | torch.memory_format() | torch.Generator():
            raise NotForGraphcError
        case tuple() if type(value) not in (tuple, torch.Size):
            return type(value)(*(translated(item, leaves) for item in value))
        case tuple():
            return tuple(translated(item, leaves) for item in value)
        case list():
            return [translated(item, leaves) for item in value]
        case dict():
            return {name: translated(item, leaves) for name, item in value.items()}
        case torch.nn.Module() | types.FunctionType() | types.BuiltinFunctionType():
            raise NotForGraphcError
    return value


def _tensor(value: Any, leaves: list[tuple[Any, gc.Tensor]]) -> gc.Tensor:
    if value.layout != torch.strided:
        raise NotForGraphcError
    made = gc.tensor(from_torch(value), dtype=_dtype(value.dtype))
    made.requires_grad_(value.requires_grad)
    leaves.append((value, made))
    return made


def _dtype(dtype: Any) -> gc.DType:
    found = getattr(gc, str(dtype).removeprefix("torch."), None)
    if found is None:
        raise NotForGraphcError
    assert isinstance(found, gc.DType)
    return found


def tensors_in(value: Any) -> list[Any]:
    """The tensors and numbers of a result, in order."""
    match value:
        case list() | tuple():
            return [each for item in value for each in tensors_in(item)]
        case dict():
            return [each for item in value.values() for each in tensors_in(item)]
    return [value]


def _shown(value: Any) -> str:
    match value:
        case torch.Tensor():
            return f"{str(value.dtype).removeprefix('torch.')}{list(value.shape)}"
        case list() | tuple():
            return f"({', '.join(_shown(item) for item in value)})"
        case dict():
            return f"{{{', '.join(f'{name}: {_shown(item)}' for name, item in value.items())}}}"
    return repr(value)


def as_array(value: Any) -> Any:
    """A tensor of either kind as an array; anything else as it is."""
    if isinstance(value, torch.Tensor):
        return from_torch(value)
    if isinstance(value, gc.Tensor):
        return np.asarray(value.detach().numpy())
    return value


def with_leaves(
    sample: Sample, leaves: Sequence[gc.Tensor]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The arguments for graphc, with other tensors in place of the sample's leaves."""
    replaced = {id(old): new for (_, old), new in zip(sample.leaves, leaves, strict=True)}

    def rebuilt(value: Any) -> Any:
        match value:
            case gc.Tensor():
                return replaced[id(value)]
            case tuple() if type(value) is tuple:
                return tuple(rebuilt(item) for item in value)
            case list():
                return [rebuilt(item) for item in value]
            case dict():
                return {name: rebuilt(item) for name, item in value.items()}
        return value

    return rebuilt(sample.ours[0]), rebuilt(sample.ours[1])
