"""Attributes of modules that are computed of their parameters each time they are read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from graphc.errors import ArgumentError
from graphc.provenance import user_location_text

if TYPE_CHECKING:
    from graphc.frontend.nn.attributes import Attributes
    from graphc.frontend.tensor import Tensor


class Derived:
    """How one attribute of a module is computed.

    It is computed where it is read, so that it always follows the parameters, also inside
    compiled functions, whose modules must not keep values of a graph.
    """

    title: ClassVar[str] = ""
    """What stands before the name of a module that has such an attribute."""

    def value(self, module: Any, name: str) -> Tensor:
        """The attribute's value now."""
        raise NotImplementedError

    def assign(self, module: Any, name: str, value: Any) -> None:
        """Choose the parameters so that the attribute has this value.

        Raises:
            ArgumentError: if that is impossible.
        """
        raise ArgumentError(
            f"{name!r} of {type(module).__name__} is computed of other parameters",
            fix=f"assign these: {name}_...", where=user_location_text(),
        )  # fmt: skip


def derive(module: Attributes, name: str, source: Derived) -> None:
    """Let an attribute, which must not be there otherwise, be computed."""
    module._derived_tensors[name] = source


def underive(module: Attributes, name: str) -> None:
    """Compute an attribute no longer."""
    del module._derived_tensors[name]
