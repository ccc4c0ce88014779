"""Every public operator in every execution, with its derivatives; needs no PyTorch."""

from __future__ import annotations

from typing import Any

import pytest

import graphc as gc
from graphc.errors import GraphcError, RecordingError, SymbolicValueError
from graphc.frontend.structure import flatten
from tests.both_modes import check_both, cotangent
from tests.operators.derivatives import Slopes, as_leaves
from tests.operators.notation import Call, namespace
from tests.operators.page import PAGE, operators_page
from tests.operators.refused import Refused, refused
from tests.operators.table import NO_OPERATORS, PLACES, public, table
from tests.torch_oracle import assert_near

CASES = [
    pytest.param(calls, id=f"{place.removeprefix('graphc.')}-{name}")
    for (place, name), calls in table().items()
]
pytestmark = pytest.mark.filterwarnings("ignore:.*upsample:DeprecationWarning")
every_operator = pytest.mark.parametrize("calls", CASES)


@pytest.mark.parametrize("place", PLACES)
def test_every_operator_has_a_call(place: str) -> None:
    assert [name for name in public(place) if (place, name) not in table()] == []


@pytest.mark.parametrize("place", PLACES)
def test_calls_are_of_operators(place: str) -> None:
    assert {name for home, name in table() if home == place} == set(public(place))
    assert all(hasattr(namespace(place), name) for name in NO_OPERATORS.get(place, ()))


@every_operator
def test_recorded_gives_the_dynamic_bits(calls: list[Call]) -> None:
    for call in calls:
        if "dynamic" in call.marks:
            _is_dynamic(call)
        elif "random" in call.marks:
            _gives_the_same_types(call)
        elif not flatten(call.function(*map(gc.tensor, call.arrays())))[1]:
            _gives_the_same_fact(call)
        else:
            grads = not _is_fixed(call) and "loop" not in call.marks
            check_both(call.function, *call.arrays(), grads=grads)


def _is_fixed(call: Call) -> bool:
    return any(leaf.kind == "Q" for leaf in call.leaves)


def _is_dynamic(call: Call) -> None:
    call.function(*map(gc.tensor, call.arrays()))
    with pytest.raises((SymbolicValueError, RecordingError)):
        gc.trace(call.function, *map(gc.tensor, call.arrays()))


def _gives_the_same_types(call: Call) -> None:
    tensors = [gc.tensor(array) for array in call.arrays()]
    now = flatten(call.function(*tensors))[1]
    later = flatten(gc.compile(call.function, backend="numpy")(*tensors))[1]
    assert [(x.dtype, x.shape) for x in now] == [(x.dtype, x.shape) for x in later]


def _gives_the_same_fact(call: Call) -> None:
    tensors = [gc.tensor(array) for array in call.arrays()]
    facts: list[Any] = []

    def note(*symbols: gc.Tensor) -> tuple[gc.Tensor, ...]:
        facts.append(call.function(*symbols))
        return symbols

    gc.trace(note, *tensors)
    assert facts == [call.function(*tensors)]


@every_operator
def test_derivatives(calls: list[Call]) -> None:
    for call in calls:
        if not call.marks & {"random", "kink"}:
            slopes = Slopes(call)
            for order in range(1, slopes.order + 1):
                numeric = slopes.by_differences(order)
                assert slopes.by_rules(order) == pytest.approx(
                    numeric, rel=5e-6, abs=1e-6 * (1 + abs(numeric))
                ), f"derivative {order} of {call}"


@every_operator
def test_native_results_are_near(calls: list[Call]) -> None:
    for call in calls:
        if not call.marks & {"dynamic", "random"}:
            leaves = as_leaves(call, call.arrays())
            expected = _with_gradients(call, leaves)
            if expected:
                found = gc.compile(lambda *tensors, call=call: _with_gradients(call, tensors))(
                    *leaves
                )
                for one, other in zip(found, expected, strict=True):
                    assert_near(
                        one.detach().numpy(), other.detach().numpy(), loose=50.0, what=str(call)
                    )


def _with_gradients(call: Call, leaves: Any) -> list[gc.Tensor]:
    """A call's results, and the gradients of its tensors."""
    results: list[gc.Tensor] = flatten(call.function(*leaves))[1]
    ends = [x for x in results if x.requires_grad]
    wanted = [x for x in leaves if x.requires_grad]
    if not ends or not wanted:
        return results
    starts = [gc.tensor(cotangent(i, x.shape, x.dtype.numpy)) for i, x in enumerate(ends)]
    grads = gc.autograd.grad(ends, wanted, starts, allow_unused=True)
    return [*results, *(grad for grad in grads if grad is not None)]


@pytest.mark.parametrize("one", list(refused()), ids=lambda one: str(one.call))
def test_refused_arguments_raise(one: Refused) -> None:
    with pytest.raises((GraphcError, TypeError)):
        one.call.function(*map(gc.tensor, one.call.arrays()))


@pytest.mark.slow
def test_the_operators_page_is_true(pytestconfig: pytest.Config) -> None:
    found = operators_page()
    if pytestconfig.getoption("--update-golden"):
        PAGE.write_text(found)
    else:
        lines = zip(found.splitlines(), PAGE.read_text().splitlines(), strict=False)
        assert [pair for pair in lines if pair[0] != pair[1]] == []
        assert found == PAGE.read_text()
