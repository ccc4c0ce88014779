"""Runs end when they get no better."""

from __future__ import annotations

from typing import Any

import pytest

import graphc as gc
from graphc.errors import ArgumentError
from graphc.training import EarlyStopping

NAN = float("nan")


@pytest.mark.parametrize(
    ("options", "scores", "stops_at", "best"),
    [
        ({"patience": 2}, [3, 2, 2, 2, 2], 3, 2),
        ({"patience": 1}, [3, 2, 1, 0], None, 0),
        ({"patience": 1}, [3, 4], 1, 3),
        ({"patience": 2, "min_delta": 0.5}, [3, 2.6, 2.4, 2.2, 1.9], 4, 2.4),
        ({"patience": 2, "min_delta": 0.5}, [3, 2.5, 2.0, 2.0, 1.5], 4, 2.0),
        ({"patience": 2, "mode": "max"}, [1, 2, 3, 2, 2.5], 4, 3),
        ({"patience": 2}, [NAN, NAN], 1, None),
        ({"patience": 2}, [NAN, 1, NAN, NAN], 3, 1),
        ({"patience": 3}, [float("inf"), 5, 6, 4], None, 4),
        ({"patience": 1}, [gc.tensor(2.0), gc.tensor([2.0])], 1, 2.0),
    ],
)
def test_when_it_stops(
    options: dict[str, Any], scores: list[Any], stops_at: int | None, best: float | None
) -> None:
    stopping = EarlyStopping(**options)
    found = [stopping.update(score) for score in scores]
    assert (found.index(True) if True in found else None) == stops_at
    assert stopping.best == best
    assert stopping.should_stop is found[-1]


def test_it_goes_on_counting_from_its_state() -> None:
    first, second = EarlyStopping(3), EarlyStopping(3)
    for score in (1.0, 2.0, 2.0):
        first.update(score)
    second.load_state_dict(first.state_dict())
    assert (second.best, second.waited) == (1.0, 2)
    assert second.update(1.5) is True


@pytest.mark.parametrize(
    "options", [{"patience": 0}, {"min_delta": -1.0}, {"min_delta": NAN}, {"mode": "less"}]
)
def test_wrong_options(options: dict[str, Any]) -> None:
    with pytest.raises(ArgumentError):
        EarlyStopping(**options)
