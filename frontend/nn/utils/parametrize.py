"""Parameters as functions of others: ``torch.nn.utils.parametrize``."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar
from weakref import WeakSet

from graphc.errors import ArgumentError
from graphc.frontend.base import is_tensor
from graphc.frontend.modes import modes, no_grad
from graphc.frontend.nn.containers import ModuleDict
from graphc.frontend.nn.derived import Derived, derive, underive
from graphc.frontend.nn.module import Module
from graphc.frontend.nn.parameter import Parameter
from graphc.frontend.nn.utils.parametrization_list import (
    ParametrizationList,
    require_like_original,
    set_values,
)
from graphc.frontend.recording.recorder import Recorder
from graphc.frontend.tensor import Tensor
from graphc.provenance import user_location_text


class _Cache(threading.local):
    """Values inside ``cached``, by the recording, the module and the name of the attribute."""

    def __init__(self) -> None:
        self.depth = 0
        self.values: dict[tuple[int, int, str], Tensor] = {}
        self.guarded: WeakSet[Recorder] = WeakSet()


_cache = _Cache()


@contextmanager
def cached() -> Iterator[None]:
    """Compute each parametrized tensor once inside the block, however often it is read.

    Source: ``torch.nn.utils.parametrize.cached``.
    """
    _cache.depth += 1
    try:
        yield
    finally:
        _cache.depth -= 1
        if not _cache.depth:
            _cache.values.clear()


class Parametrized(Derived):
    """An attribute that the modules in ``module.parametrizations`` compute."""

    title: ClassVar[str] = "Parametrized"

    def value(self, module: Any, name: str) -> Tensor:
        """The attribute's value now; inside ``cached``, the first one."""
        source = module.parametrizations[name]
        recorder = modes.recorder
        if recorder is not None and recorder not in _cache.guarded:
            recorder.guard(lambda: _cache.depth > 0, "parametrize.cached")
            _cache.guarded.add(recorder)
        if not _cache.depth:
            found: Tensor = source()
            return found
        key = id(recorder), id(module), name
        if key not in _cache.values:
            _cache.values[key] = source()
        return _cache.values[key]

    def assign(self, module: Any, name: str, value: Any) -> None:
        """Give the original what the parametrizations make this value of."""
        module.parametrizations[name].right_inverse(value)


def register_parametrization(
    module: Module, tensor_name: str, parametrization: Module, *, unsafe: bool = False
) -> Module:
    """Let ``module.weight`` be ``parametrization(original)`` from now on.

    The original becomes ``module.parametrizations.weight.original``, or ``original0`` and so on if
    ``right_inverse`` gives several tensors. A second parametrization is applied to the first one's
    result. Assigning to ``module.weight`` calls ``right_inverse``.

    Args:
        module: the module.
        tensor_name: the attribute: a parameter or buffer.
        parametrization: computes the value; ``right_inverse``, if it has one, is its inverse.
        unsafe: do not check that shape and dtype stay.

    Returns:
        The module.

    Raises:
        ArgumentError: if there is no such parameter or buffer, or if its type would change.

    Source: ``torch.nn.utils.parametrize.register_parametrization``.

    Example:
        >>> import graphc as gc
        >>> from graphc import nn
        >>> class Symmetric(nn.Module):
        ...     def forward(self, x):
        ...         return x.triu() + x.triu(1).T
        >>> layer = nn.utils.parametrize.register_parametrization(
        ...     nn.Linear(3, 3), "weight", Symmetric()
        ... )
        >>> bool((layer.weight == layer.weight.T).all())
        True
    """
    parametrization.train(module.training)
    if is_parametrized(module, tensor_name):
        present: ParametrizationList = module.parametrizations[tensor_name]
        if not unsafe:
            _require_fitting(module, tensor_name, parametrization)
        present.append(parametrization)
        present.unsafe = present.unsafe or unsafe
    elif tensor_name in module._buffers or tensor_name in module._parameters:
        made = ParametrizationList([parametrization], getattr(module, tensor_name), unsafe)
        delattr(module, tensor_name)
        if not is_parametrized(module):
            module.parametrizations = ModuleDict()
        module.parametrizations[tensor_name] = made
        derive(module, tensor_name, Parametrized())
    else:
        raise ArgumentError(
            f"register_parametrization: {type(module).__name__} has no such parameter or buffer",
            got=repr(tensor_name), where=user_location_text(),
        )  # fmt: skip
    return module


def _require_fitting(module: Module, name: str, parametrization: Any) -> None:
    """Raise ArgumentError if one more parametrization would change the tensor's type."""
    present = getattr(module, name)
    found = parametrization(present)
    require_like_original("a parametrization", found, present)
    if hasattr(parametrization, "right_inverse"):
        try:
            back = parametrization.right_inverse(found)
        except NotImplementedError:
            return
        require_like_original("right_inverse", back, present)


def is_parametrized(module: Module, tensor_name: str | None = None) -> bool:
    """Whether an attribute of a module is parametrized; without a name, whether any is.

    Source: ``torch.nn.utils.parametrize.is_parametrized``.
    """
    held = module._modules.get("parametrizations")
    if not isinstance(held, ModuleDict):
        return False
    return len(held) > 0 if tensor_name is None else tensor_name in held


def remove_parametrizations(
    module: Module, tensor_name: str, leave_parametrized: bool = True
) -> Module:
    """Let an attribute be a parameter or buffer of its own again.

    Args:
        module: the module.
        tensor_name: the attribute.
        leave_parametrized: keep the value that is computed now; else that of the original.

    Returns:
        The module.

    Raises:
        ArgumentError: if it is not parametrized, or was made of several tensors that shall be left.

    Source: ``torch.nn.utils.parametrize.remove_parametrizations``.
    """
    if not is_parametrized(module, tensor_name):
        raise ArgumentError(
            f"remove_parametrizations: {type(module).__name__} has no such parametrization",
            got=repr(tensor_name), where=user_location_text(),
        )  # fmt: skip
    source: ParametrizationList = module.parametrizations[tensor_name]
    if source.is_tensor:
        original: Any = source.original
        if leave_parametrized:
            with no_grad():
                value = getattr(module, tensor_name)
            set_values(original, value)
    elif leave_parametrized:
        value = getattr(module, tensor_name)
        original = Parameter(value.detach()) if value.requires_grad else value
    else:
        raise ArgumentError(
            "remove_parametrizations: several tensors cannot be left as one",
            got="leave_parametrized=False", where=user_location_text(),
        )  # fmt: skip
    underive(module, tensor_name)
    del module.parametrizations[tensor_name]
    if not is_parametrized(module):
        del module.parametrizations
    if isinstance(original, Parameter):
        module.register_parameter(tensor_name, original)
    else:
        module.register_buffer(tensor_name, original)
    return module


def type_before_parametrizations(module: Module) -> type:
    """The module's class, which parametrizations leave as it is here.

    Source: ``torch.nn.utils.parametrize.type_before_parametrizations``.
    """
    return type(module)


def transfer_parametrizations_and_params(
    from_module: Module, to_module: Module, tensor_name: str | None = None
) -> Module:
    """Give another module the same parametrizations, and the parameters that they are made of.

    Args:
        from_module: has parametrizations; if not, nothing happens.
        to_module: gets them.
        tensor_name: the attribute; default: all that are parametrized.

    Returns:
        ``to_module``.

    Source: ``torch.nn.utils.parametrize.transfer_parametrizations_and_params``.
    """
    if not is_parametrized(from_module):
        return to_module
    for name in list(from_module.parametrizations) if tensor_name is None else [tensor_name]:
        source = from_module.parametrizations[name]
        if not hasattr(to_module, name):
            setattr(to_module, name, Parameter(getattr(from_module, name).detach()))
        for each in source:
            register_parametrization(to_module, name, each)
        target = to_module.parametrizations[name]
        for original in source.original_names:
            setattr(target, original, getattr(source, original))
    return to_module


def value_of(module: Module, name: str) -> Tensor:
    """The parameter or buffer that is to be parametrized.

    Raises:
        ArgumentError: if there is none.
    """
    found = getattr(module, name, None)
    if not is_tensor(found):
        raise ArgumentError(
            f"{type(module).__name__} has no such parameter or buffer", got=repr(name),
            where=user_location_text(),
        )  # fmt: skip
    return found
