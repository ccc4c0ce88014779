"""A module's state by path, and back: PyTorch's ``state_dict`` and ``load_state_dict``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from graphc.errors import CheckpointError, did_you_mean
from graphc.frontend.base import TensorBase, concrete
from graphc.frontend.functions.convert import cast
from graphc.frontend.modes import no_grad, running_now
from graphc.frontend.nn.uninitialized import Uninitialized, is_lazy
from graphc.provenance import user_location_text
from graphc.storage import Storage

if TYPE_CHECKING:
    from graphc.frontend.nn.module import Module
    from graphc.frontend.tensor import Tensor


class IncompatibleKeys(NamedTuple):
    """Paths that a module has and the loaded state lacks, and the other way round."""

    missing_keys: list[str]
    unexpected_keys: list[str]

    def __repr__(self) -> str:
        if not self.missing_keys and not self.unexpected_keys:
            return "<All keys matched successfully>"
        return (
            f"IncompatibleKeys(missing_keys={self.missing_keys}, "
            f"unexpected_keys={self.unexpected_keys})"
        )


def state_dict(module: Module, prefix: str) -> dict[str, Tensor]:
    """All parameters and persistent buffers by path; not what has no shape yet."""
    return {
        path: _alias(tensor) for path, tensor in _entries(module, prefix) if not is_lazy(tensor)
    }


def _entries(module: Module, prefix: str) -> Iterator[tuple[str, Tensor]]:
    """Shared tensors appear under each of their paths."""
    for name, parameter in module._parameters.items():
        if parameter is not None:
            yield prefix + name, parameter
    for name, buffer in module._buffers.items():
        if buffer is not None and name not in module._non_persistent:
            yield prefix + name, buffer
    for name, child in module._modules.items():
        if child is not None:
            yield from _entries(child, f"{prefix}{name}.")


def _alias(tensor: Tensor) -> Tensor:
    """The same memory without gradients, concrete also while recording."""
    made = concrete(tensor.storage.array)
    made.storage = Storage(tensor.storage.array, tensor.storage.version)
    made.is_state = True
    return made


def load_state_dict(module: Module, state: Mapping[str, Any], strict: bool) -> IncompatibleKeys:
    """Copy values in place after all of them have been checked."""
    if not isinstance(state, Mapping):
        raise CheckpointError(
            "load_state_dict: expected values by path", got=type(state).__name__,
            where=user_location_text(),
        )  # fmt: skip
    own = dict(_entries(module, ""))
    newer = {
        f"{path}.{name}" if path else name
        for path, each in module.named_modules(remove_duplicate=False)
        for name in each._newer_state
    }
    missing = [path for path in own if path not in state and path not in newer]
    unexpected = [path for path in state if path not in own]
    values = {path: _as_tensor(path, state[path]) for path in own if path in state}
    problems = [
        f"size mismatch for {path}: {value.shape} was loaded, {own[path].shape} is expected"
        for path, value in values.items()
        if not is_lazy(own[path]) and value.shape != own[path].shape
    ]
    if strict:
        problems += [f"missing: {path}" for path in missing]
        problems += [
            f"unexpected: {path}" + (f" ({hint})" if hint else "")
            for path in unexpected
            for hint in [did_you_mean(path, missing)]
        ]
    if problems:
        raise CheckpointError(
            f"load_state_dict: the state does not fit {type(module).__name__}",
            got="\n    ".join(problems),
            fix="" if strict else "strict=False ignores paths, not sizes",
            where=user_location_text(),
        )
    with no_grad(), running_now():
        for path, value in values.items():
            tensor = own[path]
            if isinstance(tensor, Uninitialized):
                tensor.materialize([int(size) for size in value.shape])
            own[path].copy_(cast(value, own[path].dtype))
    return IncompatibleKeys(missing, unexpected)


def _as_tensor(path: str, value: Any) -> Tensor:
    if isinstance(value, TensorBase):
        return concrete(value.array(f"load_state_dict of {path!r}"))
    try:
        return concrete(np.asarray(value))
    except (TypeError, ValueError) as error:
        raise CheckpointError(
            f"load_state_dict: no array for {path!r}", got=type(value).__name__,
            where=user_location_text(),
        ) from error  # fmt: skip
