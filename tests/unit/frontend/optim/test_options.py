"""Options that are no numbers are refused by name, at once or at the step that reads them."""

from typing import Any

import pytest

import graphc as gc
from graphc.errors import ArgumentError

WRONG: list[Any] = [None, "fast", [1.0], 1j]


@pytest.mark.parametrize("value", WRONG, ids=repr)
@pytest.mark.parametrize("compiled", [False, True])
def test_a_step_names_the_option_and_its_value(compiled: bool, value: Any) -> None:
    model = gc.nn.Linear(2, 2)
    optimizer = gc.optim.Adam(model.parameters(), lr=0.1)

    def train() -> None:
        optimizer.zero_grad()
        model(gc.ones(1, 2)).sum().backward()
        optimizer.step()

    step = gc.compile(train) if compiled else train
    step()
    for name, wrong, right in (("lr", value, 0.1), ("betas", (0.9, value), (0.9, 0.999))):
        before = model.weight.tolist()
        optimizer.param_groups[0][name] = wrong
        with pytest.raises(ArgumentError, match=f"option '{name}' must be") as caught:
            step()
        assert repr(value) in str(caught.value)
        assert __file__ in str(caught.value)
        assert model.weight.tolist() == before
        optimizer.param_groups[0][name] = right
        step()
        assert model.weight.tolist() != before


@pytest.mark.parametrize("value", WRONG, ids=repr)
def test_an_optimizer_names_the_option_and_its_value(value: Any) -> None:
    params = [*gc.nn.Linear(2, 2).parameters()]
    with pytest.raises(ArgumentError, match="lr must be a number"):
        gc.optim.SGD(params, lr=value)
    with pytest.raises(ArgumentError, match="each of betas must be a number"):
        gc.optim.Adam(params, betas=(0.9, value))
    with pytest.raises(ArgumentError, match="betas must be two numbers"):
        gc.optim.Adam(params, betas=value)
