"""Writes through an expand that repeats nothing reach the tensor."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc.errors import AutogradError

SAME: dict[str, Callable[[Any, Any], Any]] = {
    "expand": lambda gc, x: x.expand(2, 3),
    "expand_as": lambda gc, x: x.expand_as(x),
    "broadcast_to": lambda gc, x: gc.broadcast_to(x, (2, 3)),
    "broadcast_tensors": lambda gc, x: gc.broadcast_tensors(x, x[:1])[0],
    "a new dim": lambda gc, x: x.expand(1, 1, 2, 3),
    "of a transpose": lambda gc, x: x.T.expand(3, 2),
}


def function(name: str, module: Any) -> Callable[[Any], Any]:
    def written(x: Any) -> Any:
        x = x * 1
        SAME[name](module, x).mul_(5)
        return x

    return written


@pytest.mark.parametrize("name", SAME)
@pytest.mark.parametrize("wrap", [lambda f: f, gc.compile], ids=["dynamic", "compiled"])
def test_of_the_same_sizes(name: str, wrap: Any) -> None:
    result = wrap(function(name, gc))(gc.arange(6.0).reshape(2, 3))
    np.testing.assert_array_equal(result, 5 * np.arange(6.0).reshape(2, 3))


@pytest.mark.parity
@pytest.mark.parametrize("name", SAME)
def test_in_torch(name: str) -> None:
    torch = pytest.importorskip("torch")
    result = function(name, torch)(torch.arange(6.0).reshape(2, 3))
    np.testing.assert_array_equal(result, 5 * np.arange(6.0).reshape(2, 3))


def test_elements_that_share_places_stay_refused() -> None:
    with pytest.raises(AutogradError, match="share places"):
        gc.ones(1, 3).expand(2, 3).add_(1)
