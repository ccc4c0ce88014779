"""Arguments of wrong kinds: every public operator refuses them in graphc's words."""

from __future__ import annotations

import ast
import inspect
import math
import pickle
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest

import graphc
import graphc.nn.functional
from graphc.errors import ArgumentError, ArgumentTypeError, DTypeError, GraphcError
from graphc.frontend.arguments.annotations import fits, words
from tests.operators.notation import _TOKEN, Call, namespace
from tests.operators.table import table

gc: Any = graphc  # the wrong kinds are what is tested
F: Any = graphc.nn.functional
x = gc.ones(3, 4)


@pytest.mark.parametrize(
    "call",
    [
        lambda: F.layer_norm(x, "a"),
        lambda: gc.rand(2, generator=5),
        lambda: gc.fft.fft(x, 2.5),
        lambda: F.pad(x, 1),
        lambda: gc.arange("a"),
        lambda: gc.linspace(0, "a", 3),
        lambda: gc.logspace(0, "a", 3),
        lambda: gc.split(x, "a"),
        lambda: x.split("a"),
        lambda: F.dropout(x, "a"),
        lambda: gc.cdist(x, x, p="a"),
        lambda: gc.stft(x, "a"),
        lambda: F.batch_norm(x, 1, 2),
        lambda: F.group_norm(x, "a"),
        lambda: gc.std(x, correction="a"),
        lambda: gc.tril(x, "a"),
        lambda: gc.diag(x, "a"),
        lambda: x.round(decimals="a"),
        lambda: gc.isclose(x, x, rtol="a"),
        lambda: x.sum(0, keepdim="a"),
        lambda: gc.promote_types("a", gc.int64),
    ],
)
def test_a_wrong_kind_is_a_type_error_that_names_the_place(call: Callable[[], Any]) -> None:
    with pytest.raises(TypeError) as caught:
        call()
    assert isinstance(caught.value, GraphcError)
    assert caught.value.got
    assert "test_checks.py" in caught.value.where


def test_the_message_says_which_argument_and_what_would_fit() -> None:
    with pytest.raises(ArgumentTypeError) as caught:
        gc.tril(x, "a")
    assert str(caught.value).splitlines()[:3] == [
        "tril: diagonal is of a wrong kind", "  got: 'a'", "  expected: a whole number",
    ]  # fmt: skip
    with pytest.raises(DTypeError, match="tril: expected a tensor"):
        gc.tril(np.ones((2, 2)))


def test_kinds_that_were_accepted_are_looked_at_again_when_something_fails() -> None:
    assert x.sum([0, 1]).item() == 12
    with pytest.raises(TypeError) as caught:
        x.sum(["a", "b"])
    assert isinstance(caught.value, GraphcError)
    assert F.pad(x, (1, 1)).shape == (3, 6)
    with pytest.raises(ArgumentTypeError, match="pad: pad is of a wrong kind"):
        F.pad(x, ("a", "b"))


def test_what_python_refuses_and_what_functions_of_the_user_raise_stays_as_it_is() -> None:
    with pytest.raises(TypeError, match="unexpected keyword"):
        gc.tril(x, diagonl=1)

    def broken(a: float, b: float) -> float:
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine") as caught:
        gc.ones(2).map_(gc.ones(2), broken)
    assert not isinstance(caught.value, GraphcError)


def test_numbers_of_numpy_and_sizes_fit() -> None:
    assert gc.tril(x, np.int32(1)).sum().item() == 9
    assert x.sum(np.int64(0), keepdim=np.bool_(True)).shape == (1, 4)
    assert F.leaky_relu(-x, np.float32(0.5))[0, 0].item() == -0.5
    doubled = gc.compile(lambda y: F.pad(y, (0, y.shape[0])))
    assert doubled(gc.ones(3)).shape == (6,)


def test_functions_in_guards_are_documented_and_pickled_by_their_public_names() -> None:
    for function in (gc.tril, F.relu, gc.linalg.inv, gc.linalg.diagonal, gc.Tensor.view):
        assert pickle.loads(pickle.dumps(function)) is function
        assert function.__doc__
    assert gc.Tensor.tril is gc.tril
    assert list(inspect.signature(gc.tril).parameters) == ["input", "diagonal"]


@pytest.mark.parametrize(
    ("value", "hint", "fitting"),
    [
        (True, int, True), (2.0, int, False), (2, float, True), ("2", float, False),
        (np.float32(2), int, False), (1j, float, False), (1j, complex, True), (None, int, False),
        (None, int | None, True), ([1, 2], list[int], True), ([1, "a"], list[int], False),
        ("ab", list[str], False), (gc.tensor(2), float, True), (gc.ones(2), bool, False),
        (print, Callable[..., Any], True), (3, Callable[..., Any], False), (3, Any, True),
        (range(3), tuple[int, ...], True), ("mean", str, True), (3, str, False),
    ],
)  # fmt: skip
def test_fits(value: object, hint: Any, fitting: bool) -> None:
    assert fits(value, hint) is fitting


def test_words() -> None:
    assert words(int | tuple[int, ...]) == "a whole number or a sequence (a whole number)"
    assert words(str | float | None) == "a word, a number, or None"


WRONG = ("'a'", "2.5", "None", "object()", "['a', 'b']", "{}", "-7", "(1,)", "matrix", "flag")
OTHERS = {"matrix": gc.arange(6).reshape(3, 2), "flag": gc.tensor(True)}


def _changed(call: Call) -> Iterator[str]:
    """The call with each argument, and each parameter that it leaves out, of a wrong kind."""
    numbers = iter(range(len(call.leaves)))
    tree = ast.parse(_TOKEN.sub(lambda _: f"leaf{next(numbers)}", call.text), mode="eval").body
    called = next(
        node for node in ast.walk(tree)
        if isinstance(node, ast.Call) and call.name in (getattr(node.func, "id", ""),
                                                        getattr(node.func, "attr", ""))
    )  # fmt: skip
    parameters = inspect.signature(getattr(namespace(call.place), call.name)).parameters
    names = [name for name, kind in parameters.items() if kind.kind.name.endswith("ONLY")]
    left_out = {*names} - {keyword.arg for keyword in called.keywords}
    for text in WRONG:
        wrong = ast.parse(text, mode="eval").body
        for position, right in enumerate(called.args):
            called.args[position] = wrong
            yield ast.unparse(tree)
            called.args[position] = right
        for keyword in called.keywords:
            right, keyword.value = keyword.value, wrong
            yield ast.unparse(tree)
            keyword.value = right
        for name in sorted(left_out):
            called.keywords.append(ast.keyword(name, wrong))
            yield ast.unparse(tree)
            called.keywords.pop()


@contextmanager
def _seconds(limit: int) -> Iterator[None]:
    def stop(*_: object) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(limit)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize("place", sorted({place for place, _ in table()}))
@pytest.mark.filterwarnings("ignore")
def test_no_operator_leaks_errors_of_what_is_inside(place: str) -> None:
    leaks = []
    for (where, _), calls in table().items():
        for call in calls[:1] if where == place else ():
            names = vars(gc) | vars(namespace(place)) | {"np": np} | OTHERS
            for text in _changed(call):
                leaves = {f"leaf{i}": gc.tensor(a) for i, a in enumerate(call.arrays())}
                try:
                    with _seconds(20):
                        eval(text, names, leaves)
                except GraphcError:
                    continue
                except TypeError as error:
                    if str(error).startswith(f"{call.name}()") or "argument" in str(error):
                        continue  # Python's own words about the call itself
                    leaks.append(f"{text}: {error!r}")
                except Exception as error:
                    leaks.append(f"{text}: {error!r}")
    assert leaks == []


def test_errors_that_are_no_wrong_kind_say_what_was_given() -> None:
    with pytest.raises(ArgumentError) as caught:
        gc.arange(math.nan)
    assert caught.value.what == "arange: the arguments do not fit together"
    assert caught.value.got.startswith("nan: ")
    assert isinstance(caught.value.__cause__, ValueError)


@pytest.mark.parametrize("one", [np.int64(1), np.int32(1), np.uint8(1), np.array(1)[()]])
@pytest.mark.parametrize(
    "call",
    [
        lambda one: x.roll(one, one),
        lambda one: x.sum(one),
        lambda one: x.norm(one),
        lambda one: gc.dist(x, x * 2, p=one),
        lambda one: gc.histc(x, one, 0, one + 1),
        lambda one: gc.polygamma(one, x),
        lambda one: x.mvlgamma(p=one),
        lambda one: x.quantile(0.5, dim=one),
        lambda one: F.max_pool1d(x, one, stride=one),
        lambda one: gc.add(x, x, alpha=one),
        lambda one: gc.full((2,), one),
    ],
)
def test_numbers_of_numpy_stand_for_those_of_python(call: Any, one: Any) -> None:
    expected, got = call(1), call(one)
    assert got.dtype is expected.dtype
    assert got.tolist() == expected.tolist()


def test_numbers_of_numpy_that_are_data_keep_their_type() -> None:
    assert gc.tensor(np.int8(1)).dtype is gc.int8
    assert gc.as_tensor(np.float32(1)).dtype is gc.float32


def test_words_may_be_numpys() -> None:
    x = gc.tensor([1.0, 3.0])
    assert gc.searchsorted(x, x, side=np.str_("right")).tolist() == [1, 2]
    with pytest.raises(ArgumentError):
        gc.searchsorted(x, x, side=np.str_("middle"))
