"""Hooks of optimizers, in both executions."""

import copy
from typing import Any

import pytest

import graphc as gc
from graphc import nn, optim
from graphc.errors import ArgumentError
from graphc.optim.optimizer import (
    register_optimizer_step_post_hook,
    register_optimizer_step_pre_hook,
)


def make() -> tuple[nn.Parameter, optim.SGD]:
    param = nn.Parameter([1.0, 2.0])
    param.grad = gc.ones(2)
    return param, optim.SGD([param], lr=0.5)


def test_hooks_surround_steps_in_order() -> None:
    _, sgd = make()
    seen: list[Any] = []
    handles = [
        sgd.register_step_pre_hook(lambda o, args, kwargs: seen.append(("own before", o is sgd))),
        sgd.register_step_post_hook(lambda o, args, kwargs: seen.append(("own after", args[1:]))),
        register_optimizer_step_pre_hook(lambda o, args, kwargs: seen.append("any before")),
        register_optimizer_step_post_hook(lambda o, args, kwargs: seen.append("any after")),
    ]
    sgd.step(None)
    assert seen == ["any before", ("own before", True), ("own after", (None,)), "any after"]
    for handle in handles:
        handle.remove()
        handle.remove()
    seen.clear()
    sgd.step()
    assert seen == []


def test_a_hook_may_change_the_arguments() -> None:
    param, sgd = make()

    def closure() -> str:
        param.grad = gc.tensor([1.0, -1.0])
        return "loss"

    sgd.register_step_pre_hook(lambda o, args, kwargs: (args, {"closure": closure}))
    assert sgd.step() == "loss"
    assert param.tolist() == [0.5, 2.5]
    with sgd.register_step_pre_hook(lambda o, args, kwargs: 3), pytest.raises(ArgumentError):
        sgd.step()
    assert sgd.step() == "loss"


def test_hooks_of_a_step_inside_another_do_not_run() -> None:
    class Twice(optim.SGD):
        def step(self, closure: Any = None) -> Any:
            super().step()
            return super().step(closure)

    param = nn.Parameter([1.0])
    param.grad = gc.ones(1)
    twice = Twice([param], lr=0.25)
    seen: list[int] = []
    twice.register_step_post_hook(lambda o, args, kwargs: seen.append(1))
    twice.step()
    assert (seen, param.item()) == ([1], 0.5)

    def fail(*args: Any) -> None:
        raise RuntimeError("no")

    with twice.register_step_pre_hook(fail), pytest.raises(RuntimeError, match="no"):
        twice.step()
    twice.step()
    assert seen == [1, 1]


def test_compiled_steps_have_the_hooks_in_them() -> None:
    param = nn.Parameter([4.0])
    sgd = optim.SGD([param], lr=0.5)

    def halve(optimizer: Any, args: Any, kwargs: Any) -> None:
        with gc.no_grad():
            param.mul_(0.5)

    def step() -> None:
        sgd.zero_grad()
        param.sum().backward()
        sgd.step()

    fast = gc.compile(step)
    values = []
    fast()
    values.append(param.item())
    handle = sgd.register_step_post_hook(halve)
    for _ in range(2):
        fast()
        values.append(param.item())
    handle.remove()
    fast()
    values.append(param.item())
    assert values == [3.5, 1.5, 0.5, 0.0]
    assert any("hooks of SGD" in reason for reason in fast.cache_info().reasons)


def test_hooks_around_checkpoints() -> None:
    _, sgd = make()
    seen: list[str] = []
    sgd.register_state_dict_pre_hook(lambda o: seen.append("before"))
    sgd.register_state_dict_pre_hook(lambda o: seen.append("first"), prepend=True)
    sgd.register_state_dict_post_hook(lambda o, state: {**state, "more": 1})
    sgd.register_state_dict_post_hook(lambda o, state: state.update(last=state["more"]))
    saved = sgd.state_dict()
    assert seen == ["first", "before"]
    assert (saved["more"], saved["last"]) == (1, 1)
    sgd.register_load_state_dict_pre_hook(lambda o, state: {**state["inner"]})
    sgd.register_load_state_dict_pre_hook(
        lambda o, state: state.update(inner=state.pop("outer")), prepend=True
    )
    sgd.register_load_state_dict_post_hook(lambda o: seen.append("loaded"))
    saved["param_groups"][0]["lr"] = 0.125
    given = {"outer": saved}
    sgd.load_state_dict(given)
    assert (sgd.param_groups[0]["lr"], seen[-1], given.keys()) == (0.125, "loaded", {"outer"})


def test_copies_have_their_own_hooks() -> None:
    _, sgd = make()
    seen: list[Any] = []
    sgd.register_step_post_hook(lambda o, args, kwargs: seen.append(o))
    other = copy.deepcopy(sgd)
    other.register_step_post_hook(lambda o, args, kwargs: seen.append("copy"))
    sgd.step()
    assert seen == [sgd]


def test_what_cannot_be_called_is_refused() -> None:
    _, sgd = make()
    with pytest.raises(ArgumentError, match="callable"):
        sgd.register_step_pre_hook("print")
