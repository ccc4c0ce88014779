"""``import graphc`` has all names that it declares, also those that load when first used."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module

import pytest

import graphc as gc
from tests.imports import imports
from tests.sources import MODULES


def _declared_late() -> Iterator[tuple[str, str]]:
    """Each name that type checkers see but that is loaded later, and the module it comes from."""
    for one in imports(MODULES["graphc"].read_text()):
        if one.typing_only:
            yield from ((name, one.module) for name in one.names)


LATE = dict(_declared_late())


def test_late_names_are_those_that_type_checkers_see() -> None:
    assert gc._MODULES | gc._HOMES.keys() == LATE.keys()
    assert {name for name, home in LATE.items() if home == "graphc"} == gc._MODULES
    assert {name: home for name, home in LATE.items() if home != "graphc"} == gc._HOMES


@pytest.mark.parametrize("name", LATE)
def test_late_names_are_the_objects_themselves(name: str) -> None:
    home = LATE[name]
    if home == "graphc":
        assert getattr(gc, name) is import_module(f"graphc.{name}")
    else:
        assert getattr(gc, name) is getattr(import_module(home), name)


def test_late_names_are_listed_before_they_are_used() -> None:
    code = "import graphc; print(*dir(graphc))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    names = done.stdout.split()
    assert {*LATE, "Tensor", "add"} <= {*names}
    assert names == sorted(set(names))


def test_a_star_takes_late_names_along() -> None:
    code = "from graphc import *; print(nn.Linear.__name__, compile.__module__, Tensor.__name__)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["Linear", "graphc.frontend.compile.api", "Tensor"]


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'graphc' has no attribute 'compil'") as caught:
        gc.compil  # type: ignore[attr-defined]  # noqa: B018 - this is the mistake
    assert (caught.value.name, caught.value.obj) == ("compil", gc)
