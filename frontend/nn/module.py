"""The base of all layers and models: it owns parameters, buffers and other modules."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar, Self

from graphc.dtypes import DTypeLike, as_dtype, float16, float32, float64
from graphc.errors import ArgumentError, DTypeError, did_you_mean
from graphc.frontend.modes import modes
from graphc.frontend.nn import state_dict as states
from graphc.frontend.nn.attributes import Attributes, MissingAttributeError
from graphc.frontend.nn.calling import call_recorded
from graphc.frontend.nn.observed import OwnedDict
from graphc.frontend.nn.parameter import Parameter, clear_grad
from graphc.frontend.nn.text import format_module
from graphc.frontend.tensor import Tensor


class Module(Attributes):
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
    _newer_state: ClassVar[frozenset[str]] = frozenset()
    """Names that older states lack; they keep their values when such a state is loaded."""
    training: bool

    def __init__(self) -> None:
        super().__init__()
        self.training = True

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """What the module computes; every subclass defines it."""
        raise NotImplementedError(f"{type(self).__name__} does not define forward")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if modes.recorder is None:
            return self.forward(*args, **kwargs)
        return call_recorded(self, modes.recorder, args, kwargs)

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

    def modules(self) -> Iterator[Module]:
        """This module and all below, parents first."""
        return (module for _, module in self.named_modules())

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
        for module in self.modules():
            module.training = mode
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

    def to(self, dtype: DTypeLike) -> Self:
        """Give all floating point parameters and buffers another dtype, in place."""
        wanted = as_dtype(dtype)
        if not wanted.is_differentiable:
            raise DTypeError("to: parameters must be floating point", got=wanted.name)
        for x in (*self.parameters(), *self.buffers()):
            for tensor in (x, x._grad):
                if tensor is not None and tensor.dtype.is_floating_point:
                    storage = tensor.storage
                    storage.array = storage.array.astype(wanted.numpy, copy=False)
                    storage.version.count += 1
        for module in self.modules():
            module._parameters.changed()
            module._buffers.changed()
        return self

    def float(self) -> Self:
        """Make all floating point parameters and buffers float32."""
        return self.to(float32)

    def double(self) -> Self:
        """Make all floating point parameters and buffers float64."""
        return self.to(float64)

    def half(self) -> Self:
        """Make all floating point parameters and buffers float16."""
        return self.to(float16)

    # --- state --------------------------------------------------------------------------------

    def state_dict(self, *, prefix: str = "") -> dict[str, Tensor]:
        """All parameters and persistent buffers by path; the tensors share memory.

        Args:
            prefix: put before every path.

        Example:
            >>> from graphc import nn
            >>> list(nn.Linear(2, 3).state_dict())
            ['weight', 'bias']
        """
        return states.state_dict(self, prefix)

    def load_state_dict(
        self, state_dict: Mapping[str, Any], strict: bool = True
    ) -> states.IncompatibleKeys:
        """Copy values into the parameters and buffers, in place; all of them or, on error, none.

        Args:
            state_dict: tensors or arrays by path, as ``state_dict`` gives them.
            strict: require that the paths are the same.

        Returns:
            ``missing_keys`` and ``unexpected_keys``.

        Raises:
            CheckpointError: for another set of paths while strict, or other shapes.
        """
        return states.load_state_dict(self, state_dict, strict)

    # --- text ---------------------------------------------------------------------------------

    def extra_repr(self) -> str:
        """What stands between the brackets of this module's text."""
        return ""

    def __repr__(self) -> str:
        return format_module(
            type(self).__name__, self.extra_repr(), [(k, repr(m)) for k, m in self._modules.items()]
        )
