"""Errors: one template, one class per mistake, usable with except and between processes."""

import copy
import inspect
import pickle

import pytest

from graphc import errors
from graphc.errors import GraphcError, ShapeError, did_you_mean

CLASSES = [
    each for _, each in inspect.getmembers(errors, inspect.isclass) if issubclass(each, GraphcError)
]


def test_the_message_shows_what_is_known_in_order() -> None:
    error = ShapeError("no fit", fix="reshape", expected="[3]", got="[2]", where="model.py:3")
    assert str(error) == (
        "no fit\n  got: [2]\n  expected: [3]\n  fix: reshape\n  created at: model.py:3"
    )
    assert str(ShapeError("no fit")) == "no fit"


def test_the_first_known_place_stays() -> None:
    error = ShapeError("no fit").located("").located("a.py:1").located("b.py:2")
    assert error.where == "a.py:1"


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_copies_are_complete(kind: type[GraphcError]) -> None:
    error = kind("what", got="a", expected="b", fix="c", where="d")
    error.add_note("note")
    for again in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert type(again) is kind
        assert str(again) == str(error)
        assert again.args == error.args
        assert again.__notes__ == ["note"]


@pytest.mark.parametrize(
    ("name", "builtin"),
    [
        ("ShapeError", ValueError), ("DTypeError", TypeError), ("ArgumentError", ValueError),
        ("IndexRangeError", IndexError), ("FeedError", ValueError), ("ParseError", ValueError),
        ("SymbolicValueError", TypeError), ("AutogradError", RuntimeError),
        ("VerifyError", RuntimeError), ("CompileError", RuntimeError),
        ("ShapeError", RuntimeError), ("DTypeError", RuntimeError), ("ArgumentError", RuntimeError),
        ("IndexRangeError", ValueError), ("ArgumentTypeError", TypeError),
        ("IndexKindError", IndexError), ("IndexShapeError", IndexError),
    ],
)  # fmt: skip
def test_builtin_handlers_catch_them(name: str, builtin: type[Exception]) -> None:
    with pytest.raises(builtin, match="what"):
        raise getattr(errors, name)("what")


def test_suggestions() -> None:
    assert did_you_mean("weigth", ["bias", "weight"]) == "did you mean 'weight'?"
    assert did_you_mean("zzz", ["bias", "weight"]) == ""
