"""The base of all layers and models: it owns parameters, buffers and other modules."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import Any, Self

from graphc.errors import ArgumentError, did_you_mean
from graphc.frontend.guards.observed import MISSING, OwnedDict
from graphc.frontend.modes import modes
from graphc.frontend.nn.attributes import MissingAttributeError
from graphc.frontend.nn.calling import call
from graphc.frontend.nn.converting import Converting
from graphc.frontend.nn.hooks.hook import ever
from graphc.frontend.nn.parameter import Parameter, clear_grad
from graphc.frontend.nn.text import format_module
from graphc.frontend.tensor import Tensor
from graphc.provenance import user_location_text


class Module(Converting):
    """A layer or model: override ``__init__`` and ``forward`` (``torch.nn.Module``).

    Parameters, buffers and modules that are assigned to attributes are found by ``parameters()``,
    ``state_dict()`` and the like. The same module runs dynamically and is recorded into graphs;
    there its parameters and buffers are variables.

    Example:
        >>> from graphc import nn
        >>> class Net(nn.Module):
        ...     def __init__(self):
        ...         super().__init__()
        ...         self.fc = nn.Linear(4, 2)
        ...     def forward(self, x):
        ...         return self.fc(x)
        >>> Net()
        Net(
          (fc): Linear(in_features=4, out_features=2, bias=True)
        )
    """

    _modules: OwnedDict[Module | None]
    _compiled_call_impl: Any = None
    training: bool

    def __init__(self) -> None:
        super().__init__()
        self.training = True
        self._compiled_call_impl = None  # the object's own, so that compiled functions are told

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """What the module computes; every subclass defines it."""
        raise NotImplementedError(f"{type(self).__name__} does not define forward")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if modes.recorder is None and not ever.hooked:
            return self.forward(*args, **kwargs)
        if self._compiled_call_impl is not None:
            return self._compiled_call_impl(*args, **kwargs)
        return call(self, args, kwargs)

    def _call_impl(self, *args: Any, **kwargs: Any) -> Any:
        return call(self, args, kwargs)

    def compile(self, *args: Any, **kwargs: Any) -> None:
        """Let calls of this module run as native code; see ``gc.compile`` for the arguments.

        The module stays what it is, with the same state. Copies and pickles of it are not
        compiled.

        Source: ``torch.nn.Module.compile``.
        """
        ever.hooked = True
        public = sys.modules["graphc"]  # it loads the compiler now, which imports this module
        self._compiled_call_impl = public.compile(self._call_impl, *args, **kwargs)

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_compiled_call_impl": None}

    # --- what it owns -------------------------------------------------------------------------

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """The modules assigned to attributes, each once, with their names."""
        seen: set[int] = set()
        for name, module in self._modules.items():
            if module is not None and id(module) not in seen:
                seen.add(id(module))
                yield name, module

    def children(self) -> Iterator[Module]:
        """The modules assigned to attributes."""
        return (module for _, module in self.named_children())

    def named_modules(
        self, memo: set[Module] | None = None, prefix: str = "", remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Module]]:
        """This module and all below, parents first, with their paths."""
        memo = set() if memo is None else memo
        if self in memo:
            return
        if remove_duplicate:
            memo.add(self)
        yield prefix, self
        for name, module in self._modules.items():
            if module is not None:
                path = f"{prefix}.{name}" if prefix else name
                yield from module.named_modules(memo, path, remove_duplicate)

    def modules(self, remove_duplicate: bool = True) -> Iterator[Module]:
        """This module and all below, parents first."""
        named = self.named_modules(remove_duplicate=remove_duplicate)
        return (module for _, module in named)

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Parameter]]:
        """The parameters with their paths, such as ``fc1.weight``; shared ones once."""
        return self._named("_parameters", prefix, recurse, remove_duplicate)

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """The parameters; shared ones once."""
        return (parameter for _, parameter in self.named_parameters(recurse=recurse))

    def named_buffers(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Tensor]]:
        """The buffers with their paths; shared ones once."""
        return self._named("_buffers", prefix, recurse, remove_duplicate)

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        """The buffers; shared ones once."""
        return (buffer for _, buffer in self.named_buffers(recurse=recurse))

    def _named(
        self, owned: str, prefix: str, recurse: bool, remove_duplicate: bool
    ) -> Iterator[tuple[str, Any]]:
        seen: set[int] = set()
        holders = (
            self.named_modules(prefix=prefix, remove_duplicate=remove_duplicate)
            if recurse
            else [(prefix, self)]
        )
        for path, module in holders:
            for name, value in getattr(module, owned).items():
                if value is None or id(value) in seen:
                    continue
                if remove_duplicate:
                    seen.add(id(value))
                yield f"{path}.{name}" if path else name, value

    def get_submodule(self, target: str) -> Module:
        """The module at a path such as ``encoder.fc1``; itself for an empty path.

        Raises:
            AttributeError: if there is none.
        """
        module: Module = self
        for name in target.split(".") if target else ():
            found = module._modules.get(name)
            if found is None:
                raise MissingAttributeError(
                    f"{type(module).__name__} has no module {name!r}", got=target,
                    fix=did_you_mean(name, module._modules),
                )  # fmt: skip
            module = found
        return module

    def set_submodule(self, target: str, module: Module, strict: bool = False) -> None:
        """Put a module at a path such as ``encoder.fc1``.

        Args:
            target: the path.
            module: what to put there.
            strict: require that a module is there already.

        Raises:
            ArgumentError: for an empty path, or what is no module.
            AttributeError: if the path leads nowhere.

        Source: ``torch.nn.Module.set_submodule``.
        """
        if not target or not isinstance(module, Module):
            raise ArgumentError(
                "set_submodule: expected a path and a module",
                got=f"{target!r}, {type(module).__name__}", where=user_location_text(),
            )  # fmt: skip
        path, _, name = target.rpartition(".")
        parent = self.get_submodule(path)
        present = getattr(parent, name, MISSING)
        if strict if present is MISSING else not isinstance(present, Module):
            raise MissingAttributeError(
                f"{parent._get_name()} has no module {name!r}", got=target,
                fix=did_you_mean(name, parent._modules),
            )  # fmt: skip
        setattr(parent, name, module)

    def get_parameter(self, target: str) -> Parameter:
        """The parameter at a path such as ``fc1.weight``.

        Raises:
            AttributeError: if there is none.
        """
        found: Parameter = self._owned("_parameters", "parameter", target)
        return found

    def get_buffer(self, target: str) -> Tensor:
        """The buffer at a path such as ``bn.running_mean``.

        Raises:
            AttributeError: if there is none.
        """
        found: Tensor = self._owned("_buffers", "buffer", target)
        return found

    def _owned(self, owner: str, kind: str, target: str) -> Any:
        path, _, name = target.rpartition(".")
        module = self.get_submodule(path)
        found = getattr(module, owner).get(name)
        if found is None:
            raise MissingAttributeError(
                f"{type(module).__name__} has no {kind} {name!r}", got=target,
                fix=did_you_mean(name, getattr(module, owner)),
            )  # fmt: skip
        return found

    # --- mode ---------------------------------------------------------------------------------

    def train(self, mode: bool = True) -> Self:
        """Switch this module and all below to training mode, or to evaluation."""
        if not isinstance(mode, bool):
            raise ArgumentError("train: the mode must be True or False", got=repr(mode))
        self.training = mode
        for module in self.children():
            module.train(mode)
        return self

    def eval(self) -> Self:
        """Switch this module and all below to evaluation mode."""
        return self.train(False)

    # --- over all parameters ------------------------------------------------------------------

    def apply(self, fn: Callable[[Module], object]) -> Self:
        """Call ``fn`` with every module below, and then with this one."""
        for module in self.children():
            module.apply(fn)
        fn(self)
        return self

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """Track gradients of all parameters, or stop."""
        for parameter in self.parameters():
            parameter.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Clear the gradients of all parameters.

        Args:
            set_to_none: drop them; else fill with zeros.
        """
        for parameter in self.parameters():
            clear_grad(parameter, set_to_none)

    # --- text ---------------------------------------------------------------------------------

    def _get_name(self) -> str:
        titles = {each.title for each in self._derived_tensors.values()}
        return "".join(titles) + type(self).__name__

    def extra_repr(self) -> str:
        """What stands between the brackets of this module's text."""
        return ""

    def __repr__(self) -> str:
        return format_module(
            self._get_name(), self.extra_repr(), [(k, repr(m)) for k, m in self._modules.items()]
        )
