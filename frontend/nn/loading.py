"""Loading a module's state: PyTorch's recursion, undone as a whole if something does not fit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from graphc.dtypes import as_dtype
from graphc.errors import ArgumentError, CheckpointError, did_you_mean
from graphc.frontend.base import TensorBase
from graphc.frontend.functions.convert import cast
from graphc.frontend.making import concrete
from graphc.frontend.nn.hooks.hook import hooks_of
from graphc.frontend.nn.parameter import Parameter
from graphc.frontend.nn.uninitialized import Uninitialized, is_lazy
from graphc.provenance import user_location_text
from graphc.storage import Array

if TYPE_CHECKING:
    from graphc.frontend.nn.state_dict import Stateful
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


class Loading:
    """One call of ``load_state_dict``.

    Args:
        state: values by path, which modules may change while they are loaded.
        metadata: by the path of a module, what ``state_dict`` said about it.
        assign: let modules hold the state's own tensors.
    """

    def __init__(
        self, state: Mapping[str, Any], metadata: Mapping[str, dict[str, Any]], assign: bool
    ) -> None:
        self._state, self._metadata, self._assign = dict(state), metadata, assign
        self.keys = IncompatibleKeys([], [])
        self.errors: list[str] = []

    def load(self, module: Stateful) -> None:
        """Load a module and all below."""
        self._load(module, self._state, "")

    def _load(self, module: Stateful, state: dict[str, Any], prefix: str) -> None:
        metadata = dict(self._metadata.get(prefix[:-1], {}))
        if self._assign:
            metadata["assign_to_params_buffers"] = True
        module._load_from_state_dict(
            state, prefix, metadata, True, self.keys.missing_keys, self.keys.unexpected_keys,
            self.errors,
        )  # fmt: skip
        for name, child in module._modules.items():
            if child is not None:
                below = f"{prefix}{name}."
                part = {key: value for key, value in state.items() if key.startswith(below)}
                self._load(child, part, below)
        for hook in hooks_of(module._state_dict_hooks, "load_state_dict_post"):
            if hook.function(module, self.keys) is not None:
                raise ArgumentError(
                    "a hook after load_state_dict must return None",
                    fix="change the lists of keys in place", where=user_location_text(),
                )  # fmt: skip

    def problem(self, name: str, strict: bool) -> CheckpointError | None:
        """What did not fit into the module of this name, or None."""
        errors, hints = list(self.errors), []
        missing, unexpected = self.keys
        if strict and unexpected:
            errors.insert(0, f"Unexpected key(s) in state_dict: {_listed(unexpected)}. ")
            hints = [f"{key}: {hint}" for key in unexpected if (hint := did_you_mean(key, missing))]
        if strict and missing:
            errors.insert(0, f"Missing key(s) in state_dict: {_listed(missing)}. ")
        if not errors:
            return None
        return CheckpointError(
            f"Error(s) in loading state_dict for {name}:\n\t" + "\n\t".join(errors),
            fix="; ".join(hints), where=user_location_text(),
        )  # fmt: skip


def _listed(keys: list[str]) -> str:
    return ", ".join(f'"{key}"' for key in keys)


def load_own(
    module: Stateful, state: Mapping[str, Any], prefix: str, assign: bool, missing: list[str],
    errors: list[str],
) -> dict[str, Tensor]:  # fmt: skip
    """Load the parameters and buffers of one module, and none of those below.

    Args:
        module: the module.
        state: values by path.
        prefix: what the module's paths begin with.
        assign: let the module hold the state's own tensors.
        missing: gets the paths that the state lacks.
        errors: gets what does not fit.

    Returns:
        What the module has by name.
    """
    own = dict(module._own_state())
    for name, tensor in own.items():
        key = prefix + name
        if key not in state:
            missing.append(key)
            continue
        value = _as_tensor(state[key])
        if value is None:
            errors.append(
                f'While copying the parameter named "{key}", expected a tensor or an array from '
                f"checkpoint but received {type(state[key])}"
            )
            continue
        if not is_lazy(tensor) and tensor.shape == () and value.shape == (1,):
            value = value.reshape(())
        if not is_lazy(tensor) and value.shape != tensor.shape:
            errors.append(
                f"size mismatch for {key}: copying a param with shape {tuple(value.shape)} from "
                f"checkpoint, the shape in current model is {tuple(tensor.shape)}."
            )
        elif assign:
            given = state[key]
            setattr(module, name, _assigned(given if given is value else value, tensor))
        else:
            if isinstance(tensor, Uninitialized):
                tensor.materialize([int(size) for size in value.shape])
            tensor.copy_(cast(value, tensor.dtype))
    return own


def _assigned(value: Tensor, present: Tensor) -> Tensor:
    """The state's tensor as what the module has now."""
    if not isinstance(present, Parameter):
        return value
    if isinstance(value, Parameter):
        value.requires_grad_(present._requires_grad)
        return value
    return Parameter(value, requires_grad=present._requires_grad)


def _as_tensor(value: Any) -> Any:
    """A value of a state as a tensor; None if it is none."""
    if isinstance(value, TensorBase):
        return value if value.node is None else None
    try:
        array = np.asarray(value)
        as_dtype(array.dtype)
        return concrete(array)
    except (TypeError, ValueError, RuntimeError):
        return None


class Snapshot:
    """What a module and all below hold, to go back to.

    Args:
        module: the module.
    """

    def __init__(self, module: Stateful) -> None:
        self._held = [(owned, dict(owned)) for owned in _dicts(module)]
        tensors = {id(x): x for owned, _ in self._held for x in owned.values() if x is not None}
        self._tensors: list[tuple[Tensor, type, Array, Array]] = [
            (x, type(x), x.storage.array, np.array(x.storage.array)) for x in tensors.values()
        ]

    def restore(self) -> None:
        """Go back."""
        for owned, before in self._held:
            if not _are_same(owned, before):
                owned.clear()
                owned.update(before)
        for x, kind, array, values in self._tensors:
            if type(x) is not kind:
                object.__setattr__(x, "__class__", kind)
            x.storage.array = array
            x.storage.write(values)


def _are_same(some: dict[str, Any], others: dict[str, Any]) -> bool:
    return [*some] == [*others] and all(some[key] is others[key] for key in some)


def _dicts(module: Stateful) -> Iterator[dict[str, Any]]:
    seen: set[int] = set()
    stack = [module]
    while stack:
        each = stack.pop()
        if id(each) not in seen:
            seen.add(id(each))
            yield each._parameters
            yield each._buffers
            stack += [child for child in each._modules.values() if child is not None]
