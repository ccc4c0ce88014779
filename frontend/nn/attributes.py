"""Attributes of modules: parameters, buffers and modules are kept apart from other values."""

from __future__ import annotations

from typing import Any

from graphc.errors import ArgumentError, DTypeError, GraphcError, did_you_mean
from graphc.frontend.base import is_tensor
from graphc.frontend.guards.observed import Observed, OwnedDict, observed_changes
from graphc.frontend.guards.reads import current_reads
from graphc.frontend.modes import modes
from graphc.frontend.nn.derived import Derived
from graphc.frontend.nn.hooks.every_module import every_module, registered
from graphc.frontend.nn.hooks.hook import HookDict
from graphc.frontend.nn.parameter import Buffer, Parameter, require_concrete
from graphc.frontend.tensor import Tensor
from graphc.provenance import user_location_text

_OWNED = ("_parameters", "_buffers", "_modules")
_NEWER = {"_derived_tensors": OwnedDict, "_call_hooks": HookDict, "_state_dict_hooks": HookDict}


class UnfitNameError(ArgumentError, KeyError):
    """A name that a module cannot give to what it owns."""


class NotSetUpError(ArgumentError, AttributeError):
    """A module whose ``__init__`` has not run."""


class MissingAttributeError(GraphcError, AttributeError):
    """A module has no such attribute."""


class Attributes(Observed):
    """What ``Module`` is made of: attributes that are sorted by what is assigned to them."""

    _parameters: OwnedDict[Parameter | None]
    _buffers: OwnedDict[Tensor | None]
    _modules: OwnedDict[Any]
    _non_persistent_buffers_set: set[str]
    _derived_tensors: OwnedDict[Derived]
    _call_hooks: HookDict
    _state_dict_hooks: HookDict

    def __init__(self) -> None:
        reads = current_reads()
        if reads is not None:
            reads.born(self)
        own = self.__dict__
        for name in _OWNED:
            own[name] = OwnedDict()
        own["_non_persistent_buffers_set"] = set()
        own["_derived_tensors"] = OwnedDict()
        own["_call_hooks"], own["_state_dict_hooks"] = HookDict(), HookDict()

    def __getattr__(self, name: str) -> Any:
        for owned in _OWNED:
            values = self.__dict__.get(owned)
            if values is not None and name in values:
                return values[name]
        derived = self.__dict__.get("_derived_tensors", ())
        if name in derived:
            return derived[name].value(self, name)
        known = [*self.__dict__.get("_parameters", ()), *self.__dict__.get("_modules", ())]
        raise MissingAttributeError(
            f"{type(self).__name__!r} object has no attribute {name!r}",
            fix=did_you_mean(name, known) if "_modules" in self.__dict__ else
            "call super().__init__() first in __init__",
        )  # fmt: skip

    def __setattr__(self, name: str, value: Any) -> None:
        reads = current_reads()
        if reads is not None:
            reads.note_write(self, name)
        derived = self.__dict__.get("_derived_tensors")
        if derived and name in derived and not isinstance(value, Parameter):
            derived[name].assign(self, name, value)
        elif isinstance(value, Parameter):
            self._forget(name, keep="_parameters")
            self.register_parameter(name, value)
        elif isinstance(value, Attributes):
            self._forget(name, keep="_modules")
            self.register_module(name, value)
        elif isinstance(value, Buffer):
            self._forget(name, keep="_buffers")
            self.register_buffer(name, value, value.persistent)
        elif name in self.__dict__.get("_buffers", ()):
            self._set_buffer(name, value)
        elif name in self.__dict__.get("_parameters", ()):
            if value is not None:
                raise DTypeError(
                    f"{name!r} is a parameter of {type(self).__name__}",
                    got=type(value).__name__, expected="nn.Parameter or None",
                    where=user_location_text(),
                )  # fmt: skip
            self._parameters[name] = None
        elif name in self.__dict__.get("_modules", ()):
            self.register_module(name, value)
        else:
            super().__setattr__(name, value)
            observed_changes.mark()

    def __delattr__(self, name: str) -> None:
        reads = current_reads()
        if reads is not None:
            reads.note_write(self, name)
        if not self._forget(name):
            super().__delattr__(name)
        observed_changes.mark()

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        for name, make in _NEWER.items():  # a pickle of an earlier version lacks them
            self.__dict__.setdefault(name, make())

    def peek(self, name: str) -> Any:
        """An attribute's value, found without running any code of a property or method."""
        own = self.__dict__
        if name not in own:
            for owned in (*_OWNED, "_derived_tensors"):
                if name in own.get(owned, ()):
                    return own[owned][name]
        return super().peek(name)

    def __dir__(self) -> list[str]:
        held = (*_OWNED, "_derived_tensors")
        owned = (name for key in held for name in self.__dict__.get(key, ()))
        return sorted(name for name in {*super().__dir__(), *owned} if not name[0].isdigit())

    def _forget(self, name: str, keep: str = "") -> bool:
        """Take a name out of all that is owned but ``keep``; tell whether it was there."""
        owned = {key: self.__dict__.get(key, {}) for key in _OWNED if key != keep}
        found = [values for values in (self.__dict__, *owned.values()) if name in values]
        for values in found:
            del values[name]
        self.__dict__.get("_non_persistent_buffers_set", set()).discard(name)
        return bool(found)

    def _set_buffer(self, name: str, value: Any) -> None:
        """Give a buffer its next value; while recording, as a write to its memory."""
        present = self._buffers[name]
        if value is not None and not is_tensor(value):
            raise DTypeError(
                f"{name!r} is a buffer of {type(self).__name__}", got=type(value).__name__,
                expected="a tensor or None", where=user_location_text(),
            )  # fmt: skip
        if modes.recorder is not None and present is not None and value is not None:
            present.copy_(value)
            return
        if value is not None:
            require_concrete("Buffer", value)
            value.is_state = True
        self._buffers[name] = value

    # --- registration -------------------------------------------------------------------------

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Add a parameter under a name; None reserves the name.

        Raises:
            UnfitNameError: for a name that is taken, empty, or has a dot.
            DTypeError: for what is no parameter.
            ArgumentError: for a parameter that is the result of operations.
        """
        self._check_name(name, "_parameters")
        if param is not None:
            if not isinstance(param, Parameter):
                raise self._unfit(name, param, "nn.Parameter or None")
            if param._grad_fn is not None:
                raise ArgumentError(
                    f"{name!r}: a parameter must be no result of operations",
                    got=str(param.grad_fn), fix="compute it in forward",
                    where=user_location_text(),
                )  # fmt: skip
            if every_module.registration:
                param = registered("parameter", self, name, param)
        self._parameters[name] = param

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Add state that is not trained.

        Args:
            name: attribute name.
            tensor: the value; None reserves the name.
            persistent: let ``state_dict`` contain it.

        Raises:
            UnfitNameError: for a name that is taken, empty, or has a dot.
            DTypeError: for what is no tensor.
        """
        self._check_name(name, "_buffers")
        if tensor is not None and not is_tensor(tensor):
            raise self._unfit(name, tensor, "a tensor or None")
        if every_module.registration:
            tensor = registered("buffer", self, name, tensor)
        if tensor is not None:
            require_concrete("Buffer", tensor)
            tensor.is_state = True
        self._buffers[name] = tensor
        hidden = self._non_persistent_buffers_set
        (hidden.discard if persistent else hidden.add)(name)

    def register_module(self, name: str, module: Attributes | None) -> None:
        """Add a child under a name; None reserves the name.

        Raises:
            UnfitNameError: for a name that is taken, empty, or has a dot.
            DTypeError: for what is no module.
        """
        if module is not None and not isinstance(module, Attributes):
            raise self._unfit(name, module, "nn.Module or None")
        self._check_name(name, "_modules")
        if every_module.registration:
            module = registered("module", self, name, module)
        self._modules[name] = module

    add_module = register_module

    def _unfit(self, name: str, value: object, expected: str) -> DTypeError:
        return DTypeError(
            f"{name!r} of {type(self).__name__} cannot be this", got=type(value).__name__,
            expected=expected, where=user_location_text(),
        )  # fmt: skip

    def _check_name(self, name: str, owner: str) -> None:
        if "_modules" not in self.__dict__:
            raise NotSetUpError(
                f"{type(self).__name__}: the module is not set up yet",
                fix="call super().__init__() first in __init__", where=user_location_text(),
            )  # fmt: skip
        given: Any = name
        if not isinstance(given, str):
            raise self._unfit(repr(name), name, "text as a name")
        if not name or "." in name:
            raise UnfitNameError(
                "a name within a module must be text without a dot", got=repr(name),
                where=user_location_text(),
            )  # fmt: skip
        if name not in self.__dict__[owner] and (
            hasattr(type(self), name) or name in self._all_names()
        ):
            raise UnfitNameError(
                f"{type(self).__name__} has an attribute {name!r} already",
                where=user_location_text(),
            )

    def _all_names(self) -> set[str]:
        owned = {*self._parameters, *self._buffers, *self._modules}
        return owned | {*self.__dict__, *self._derived_tensors}
