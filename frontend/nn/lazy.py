"""Modules that learn the sizes of their parameters from the first input."""

from __future__ import annotations

from typing import Any, ClassVar

from graphc.errors import ArgumentError, RecordingError
from graphc.frontend.modes import modes
from graphc.frontend.nn.module import Module
from graphc.frontend.nn.uninitialized import is_lazy
from graphc.provenance import user_location_text


class LazyModuleMixin(Module):
    """The base of lazy modules; comes before the module that is made lazy.

    ``cls_to_become`` is the class that the module has after its first call. A subclass defines
    ``initialize_parameters``.

    Source: ``torch.nn.modules.lazy.LazyModuleMixin``.
    """

    cls_to_become: ClassVar[type[Module] | None] = None

    def has_uninitialized_params(self) -> bool:
        """Whether some parameter or buffer has no shape yet."""
        return any(map(is_lazy, (*self._parameters.values(), *self._buffers.values())))

    def initialize_parameters(self, *args: Any, **kwargs: Any) -> None:
        """Give all parameters their shapes and start values, from the first call's arguments."""
        raise NotImplementedError(f"{type(self).__name__} does not define initialize_parameters")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Initialize, and become an ordinary module.

        Raises:
            RecordingError: for a first call that is recorded.
        """
        if modes.recorder is not None:
            raise RecordingError(
                f"{type(self).__name__}: the first call of a lazy module cannot be recorded",
                fix="call the model once before it is compiled", where=user_location_text(),
            )  # fmt: skip
        self.initialize_parameters(*args, **kwargs)
        if self.has_uninitialized_params():
            raise ArgumentError(
                f"{type(self).__name__}: initialize_parameters has left parameters without shapes",
                where=user_location_text(),
            )
        if self.cls_to_become is not None:
            object.__setattr__(self, "__class__", self.cls_to_become)
        self._parameters.changed()
        self._buffers.changed()
        return Module.__call__(self, *args, **kwargs)
