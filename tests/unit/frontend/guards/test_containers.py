"""Containers that note their changes do what the plain ones do, and miss no change."""

import copy
import json
import pickle
from collections.abc import Callable
from typing import Any

import pytest

from graphc.frontend.guards.containers import ABSENT, ObservableDict, ObservableList


class Dict(ObservableDict[str, Any]):
    """Counts its changes."""

    count = 0
    announced: tuple[tuple[str, object], ...] = ()

    def changing(self, key: str, value: object) -> None:
        self.announced = (*self.announced, (key, value))

    def changed(self) -> None:
        self.count += 1


class List(ObservableList[Any]):
    """Counts its changes."""

    count = 0

    def changed(self) -> None:
        self.count += 1


def _or(x: Any, other: Any) -> None:
    x |= other


def _add(x: Any, other: Any) -> None:
    x += other


def _times(x: Any, count: int) -> None:
    x *= count


DICT_CHANGES: dict[str, Callable[[Any], object]] = {
    "__setitem__": lambda x: x.__setitem__("a", 7),
    "__delitem__": lambda x: x.__delitem__("b"),
    "__ior__": lambda x: _or(x, {"c": 3, "a": 0}),
    "clear": lambda x: x.clear(),
    "pop": lambda x: x.pop("a"),
    "popitem": lambda x: x.popitem(),
    "setdefault": lambda x: x.setdefault("new"),
    "update": lambda x: x.update({"a": 5}, d=4),
}
LIST_CHANGES: dict[str, Callable[[Any], object]] = {
    "__setitem__": lambda x: x.__setitem__(slice(0, 2), [9, 8, 7]),
    "__delitem__": lambda x: x.__delitem__(0),
    "__iadd__": lambda x: _add(x, (4, 5)),
    "__imul__": lambda x: _times(x, 2),
    "append": lambda x: x.append(4),
    "clear": lambda x: x.clear(),
    "extend": lambda x: x.extend(iter("ab")),
    "insert": lambda x: x.insert(1, 0),
    "pop": lambda x: x.pop(),
    "remove": lambda x: x.remove(1),
    "reverse": lambda x: x.reverse(),
    "sort": lambda x: x.sort(key=lambda value: -value, reverse=True),
}


@pytest.mark.parametrize("change", DICT_CHANGES)
def test_each_change_of_a_dict_is_noted(change: str) -> None:
    plain, noted = {"a": 1, "b": 2}, Dict(a=1, b=2)
    expected, got = DICT_CHANGES[change](plain), DICT_CHANGES[change](noted)
    assert got == expected
    assert [*noted.items()] == [*plain.items()]
    assert noted.count == 1
    assert type(noted) is Dict


@pytest.mark.parametrize("change", LIST_CHANGES)
def test_each_change_of_a_list_is_noted(change: str) -> None:
    plain, noted = [3, 1, 2], List([3, 1, 2])
    expected, got = LIST_CHANGES[change](plain), LIST_CHANGES[change](noted)
    assert got == expected
    assert noted == plain
    assert noted.count == 1
    assert type(noted) is List


def test_no_method_that_changes_is_left_out() -> None:
    reading = {
        "__class_getitem__", "__contains__", "__eq__", "__ge__", "__getitem__", "__gt__",
        "__iter__", "__le__", "__len__", "__lt__", "__ne__", "__repr__", "__reversed__",
        "__sizeof__", "__init__", "__new__", "__hash__", "__getattribute__", "__doc__", "copy",
    }  # fmt: skip
    own = {"__or__", "__ror__", "get", "items", "keys", "values", "fromkeys"}
    assert set(vars(dict)) - reading - own == DICT_CHANGES.keys()
    assert set(vars(list)) - reading - {"__add__", "__mul__", "__rmul__", "count", "index"} == (
        LIST_CHANGES.keys()
    )


def test_a_dict_announces_what_comes() -> None:
    noted = Dict(a=1)
    noted["a"] = 2
    noted.setdefault("a", 3)
    noted.pop("missing", None)
    noted.update(b=4)
    noted.clear()
    assert noted.announced == (
        ("a", 2), ("missing", ABSENT), ("b", 4), ("a", ABSENT), ("b", ABSENT),
    )  # fmt: skip


def test_a_refused_change_changes_nothing() -> None:
    class Fixed(ObservableDict[str, int]):
        def changing(self, key: str, value: object) -> None:
            if key == "b":
                raise ValueError("not b")

    for change in (
        lambda x: x.update(a=3, b=4),
        lambda x: x.clear(),
        lambda x: x.popitem(),
        lambda x: x.pop("b"),
        lambda x: x.__delitem__("b"),
        lambda x: _or(x, {"a": 3, "b": 4}),
    ):
        fixed = Fixed(a=1, b=2)
        with pytest.raises(ValueError, match="not b"):
            change(fixed)
        assert fixed == {"a": 1, "b": 2}


def test_errors_are_those_of_plain_containers() -> None:
    with pytest.raises(KeyError):
        Dict().pop("a")
    with pytest.raises(KeyError):
        Dict().popitem()
    with pytest.raises(KeyError):
        del Dict()["a"]
    with pytest.raises(IndexError):
        List().pop()
    with pytest.raises(ValueError, match="not in list"):
        List().remove(1)


def test_a_change_before_an_error_is_noted() -> None:
    def broken() -> Any:
        yield 1
        raise OSError("broken")

    noted = List()
    with pytest.raises(OSError, match="broken"):
        noted.extend(broken())
    assert (noted, noted.count) == ([1], 1)
    mixed = List([2, 1, "x", 0])
    with pytest.raises(TypeError):
        mixed.sort()
    assert mixed.count == 1


def test_they_are_copied_saved_and_written_like_plain_ones() -> None:
    noted = Dict(a=List([1, 2]))
    for made in (copy.deepcopy(noted), pickle.loads(pickle.dumps(noted))):
        assert made == noted
        assert (type(made), type(made["a"])) == (Dict, List)
    assert json.dumps(noted) == '{"a": [1, 2]}'
