"""How many digits and elements of tensors are printed."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace

from graphc.errors import ArgumentError
from graphc.provenance import user_location_text


@dataclass(frozen=True)
class PrintOptions:
    """The choices of ``set_printoptions``; see there."""

    precision: int = 4
    threshold: float = 1000
    edgeitems: int = 3
    linewidth: int = 80
    sci_mode: bool | None = None


_PROFILES = {
    "default": PrintOptions(),
    "short": PrintOptions(precision=2, edgeitems=2),
    "full": PrintOptions(threshold=sys.maxsize),
}
_chosen = [PrintOptions()]


def print_options() -> PrintOptions:
    """The choices as they are."""
    return _chosen[0]


def set_printoptions(
    precision: int | None = None, threshold: float | None = None, edgeitems: int | None = None,
    linewidth: int | None = None, profile: str | None = None, sci_mode: bool | None = None,
) -> None:  # fmt: skip
    """Choose how tensors print (``torch.set_printoptions``).

    Args:
        precision: digits after the point.
        threshold: more elements than this are printed in short.
        edgeitems: how many elements at each end stand in a short text.
        linewidth: characters of a line.
        profile: ``"default"``, ``"short"`` or ``"full"``; the others change it.
        sci_mode: whether floats have exponents; None leaves it to the values.

    Raises:
        ArgumentError: for an unknown profile.

    Example:
        >>> import graphc as gc
        >>> gc.set_printoptions(precision=2)
        >>> gc.tensor([1.2345])
        tensor([1.23])
        >>> gc.set_printoptions(profile="default")
    """
    if profile is not None and profile.lower() not in _PROFILES:
        raise ArgumentError(
            "set_printoptions: unknown profile", got=repr(profile), expected=", ".join(_PROFILES),
            where=user_location_text(),
        )  # fmt: skip
    start = _chosen[0] if profile is None else _PROFILES[profile.lower()]
    _chosen[0] = replace(
        start,
        precision=start.precision if precision is None else precision,
        threshold=start.threshold if threshold is None else threshold,
        edgeitems=start.edgeitems if edgeitems is None else edgeitems,
        linewidth=start.linewidth if linewidth is None else linewidth,
        sci_mode=sci_mode,
    )
