"""Classes whose instances stand for arrays, so that native calls can take and return them.

The runtime does not know tensors. Whoever has such a class describes it with these.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any


class Part(Enum):
    """What differs from one new object to the next."""

    ARRAY = "array"


@dataclass(frozen=True, slots=True)
class Template:
    """What a new object is made of.

    Args:
        kind: its class, which keeps its attributes in slots; its ``__init__`` is not called.
        slots: every attribute's value: an object that all share, ``Part.ARRAY``, or a template.
    """

    kind: type[Any]
    slots: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Box:
    """A class whose instances stand for arrays.

    Args:
        kind: the class; instances of subclasses are not taken.
        absent: an attribute that is None in every instance that has an array.
        flag: an attribute that is True or False; a call takes instances with one of the two.
        path: two attributes that lead to the array: ``instance.first.second``.
        holder: the class of ``instance.first``.
        template: what a new instance is made of.
    """

    kind: type[Any]
    absent: str
    flag: str
    path: tuple[str, str]
    holder: type[Any]
    template: Template
