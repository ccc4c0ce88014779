"""The modules that compute one parametrized tensor, and the originals that they compute it of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from graphc.errors import ArgumentError
from graphc.frontend.base import is_tensor
from graphc.frontend.modes import no_grad
from graphc.frontend.nn.containers import ModuleList
from graphc.frontend.nn.module import Module
from graphc.frontend.nn.parameter import Parameter
from graphc.frontend.tensor import Tensor
from graphc.provenance import user_location_text


class ParametrizationList(ModuleList):
    """Parametrizations that are applied one after the other; it holds the original, too.

    The original is called ``original``; if the first ``right_inverse`` gives several tensors,
    they are ``original0``, ``original1`` and so on.

    Args:
        modules: the parametrizations, at least one.
        original: the parameter or buffer.
        unsafe: do not check that shape and dtype stay.

    Raises:
        ArgumentError: if there are no modules, or if the type would change.

    Source: ``torch.nn.utils.parametrize.ParametrizationList``.
    """

    original: Tensor

    def __init__(
        self, modules: Iterable[Module], original: Tensor, unsafe: bool = False
    ) -> None:  # fmt: skip
        super().__init__(modules)
        if not len(self):
            raise ArgumentError(
                "ParametrizationList: expected one or more modules", where=user_location_text()
            )
        self.unsafe = unsafe
        kind = original.type
        new = self._inverted(original, must=False)
        self.is_tensor = is_tensor(new)
        self.ntensors = 1 if is_tensor(new) else len(_sequence(new))
        if is_tensor(new):
            if new.dtype is not original.dtype:
                raise ArgumentError(
                    "right_inverse must not change the dtype", got=new.dtype.name,
                    expected=original.dtype.name, where=user_location_text(),
                )  # fmt: skip
            set_values(original, new)
            self._register("original", original)
        else:
            is_trained = isinstance(original, Parameter)
            for position, each in enumerate(new):
                if not is_tensor(each):
                    raise ArgumentError(
                        "right_inverse must return a tensor or several",
                        got=f"{type(each).__name__} at {position}", where=user_location_text(),
                    )  # fmt: skip
                made = Parameter(each, original.requires_grad) if is_trained else each
                self._register(f"original{position}", made)
        if not unsafe:
            require_like_original("a parametrization", self(), original, kind)

    @property
    def original_names(self) -> list[str]:
        """The names of the originals."""
        return ["original"] if self.is_tensor else [f"original{i}" for i in range(self.ntensors)]

    def _register(self, name: str, original: Tensor) -> None:
        if isinstance(original, Parameter):
            self.register_parameter(name, original)
        else:
            self.register_buffer(name, original)

    def _inverted(self, value: Any, must: bool) -> Any:
        """What all inverses make of a value, the last parametrization's first."""
        with no_grad():
            for module in reversed(list(self)):
                value = _undone(module, value, must)
        return value

    def right_inverse(self, value: Tensor) -> None:
        """Choose the originals so that the parametrized tensor becomes this value.

        Args:
            value: the wanted value.

        Raises:
            ArgumentError: if a parametrization has no inverse, or if it does not fit.
        """
        found = self._inverted(value, must=True)
        given = [found] if self.is_tensor else list(_sequence(found))
        if len(given) != self.ntensors:
            raise ArgumentError(
                "right_inverse returned another number of tensors", got=str(len(given)),
                expected=str(self.ntensors), where=user_location_text(),
            )  # fmt: skip
        for name, each in zip(self.original_names, given, strict=True):
            original = getattr(self, name)
            if not is_tensor(each) or each.dtype is not original.dtype:
                raise ArgumentError(
                    "right_inverse returned a value that does not fit",
                    got=str(each.type) if is_tensor(each) else type(each).__name__,
                    expected=str(original.type), where=user_location_text(),
                )  # fmt: skip
            set_values(original, each)

    def forward(self) -> Tensor:
        """The parametrized tensor."""
        first, *others = list(self)
        x: Tensor = first(*[getattr(self, name) for name in self.original_names])
        for module in others:
            x = module(x)
        return x


def _sequence(found: Any) -> Sequence[Any]:
    if not isinstance(found, Sequence):
        raise ArgumentError(
            "right_inverse must return a tensor or a sequence of tensors",
            got=type(found).__name__, where=user_location_text(),
        )  # fmt: skip
    return found


def require_like_original(what: str, found: Any, original: Tensor, kind: Any = None) -> None:
    """Raise ArgumentError unless a result has the type that the tensor had."""
    kind = original.type if kind is None else kind
    if not is_tensor(found) or found.type != kind:
        raise ArgumentError(
            f"{what} must give a tensor of the same shape and dtype",
            got=str(found.type) if is_tensor(found) else type(found).__name__, expected=str(kind),
            fix="unsafe=True allows others", where=user_location_text(),
        )  # fmt: skip


def set_values(target: Tensor, value: Tensor) -> None:
    """Give a tensor other values, in its memory if they have its shape."""
    if value is target:
        return
    if value.type == target.type:
        with no_grad():
            target.copy_(value)
        return
    target.storage.array = np.array(value.array("a parametrized value"), order="C")
    target.storage.version.count += 1


def _undone(parametrization: Module, value: Any, must: bool) -> Any:
    """What one parametrization's inverse makes of a value; the value itself if it has none.

    Raises:
        ArgumentError: if it must have one, and has not.
    """
    if not hasattr(parametrization, "right_inverse"):
        if must:
            kind = type(parametrization).__name__
            raise ArgumentError(
                f"parametrization {kind} does not implement right_inverse",
                where=user_location_text(),
            )
        return value
    try:
        return parametrization.right_inverse(value)
    except NotImplementedError:
        if must:
            raise
        return value
