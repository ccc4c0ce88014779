"""A compiled step follows every way in which an optimizer's groups and state can change."""

import copy
import json
import pickle
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc import nn, optim
from graphc.frontend.optim.group import ParamGroup


class Job:
    """Two layers that learn, in two groups, with a rule that reads an attribute of its own."""

    def __init__(self, rule: Callable[..., Any] = optim.Adam) -> None:
        gc.manual_seed(0)
        self.net = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2)).double()
        first, last = [*self.net[0].parameters()], [*self.net[2].named_parameters()]
        self.spare = nn.Parameter(gc.ones(3, dtype=gc.float64))
        groups = [{"params": first, "lr": 0.1}, {"params": last, "weight_decay": 0.1}]
        self.optimizer = rule(groups, lr=0.05)
        self.list: Any = None

    def step(self, x: Any) -> Any:
        self.optimizer.zero_grad()
        loss = self.net(x).square().sum() + (self.spare * self.spare).sum()
        loss.backward()
        self.optimizer.step()
        return loss.detach()

    def group(self, number: int = 0) -> Any:
        return self.optimizer.param_groups[number]

    def state(self) -> Any:
        return self.optimizer.state[self.net[0].weight]


class Own(optim.SGD):
    """Somebody's rule, whose structure depends on what nobody notes."""

    outside: dict[str, bool]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.outside = {"maximize": False}

    def structure(self, group: Any) -> Any:
        return (super().structure(group), self.outside["maximize"], group["lr"])

    def update(self, param: Any, grad: Any, state: Any, options: Any) -> Any:
        sign = -1.0 if self.outside["maximize"] else 1.0
        return super().update(param, grad * sign, state, options)


def _or(group: Any, other: Any) -> None:
    group |= other


def _plain_list(job: Job) -> None:
    """Others may write to a list that notes nothing."""
    job.list = job.group()["params"] = list(job.group()["params"])


def _plain_groups(job: Job) -> None:
    job.list = job.optimizer.param_groups = list(job.optimizer.param_groups)


def _plain_group(job: Job) -> None:
    job.list = job.optimizer.param_groups[0] = dict(job.group())


def _plain_entries(job: Job) -> None:
    job.list = job.optimizer.state[job.net[0].weight] = dict(job.state())


def _plain_state(job: Job) -> None:
    job.list = job.optimizer.state = defaultdict(dict, job.optimizer.state)


def _fresh(x: Any) -> Any:
    return gc.zeros(*x.shape)


CHANGES: dict[str, list[Callable[[Job], object]]] = {
    "lr": [lambda job: job.group().__setitem__("lr", 0.5)],
    "lr of numpy": [lambda job: job.group().update(lr=np.float64(0.5))],
    "decay": [lambda job: job.group().__setitem__("weight_decay", 0.5)],
    "decay by update": [lambda job: job.group().update(weight_decay=0.5, lr=0.2)],
    "decay by |=": [lambda job: _or(job.group(), {"weight_decay": 0.5})],
    "decay by setdefault": [
        lambda job: (job.group().pop("weight_decay"), job.group().setdefault("weight_decay", 0.7))
    ],
    "decay after clear": [
        lambda job: (
            before := dict(job.group()),
            job.group().clear(),
            job.group().update(before, weight_decay=0.3),
        )
    ],
    "decay goes": [lambda job: job.group(1).update(weight_decay=0)],
    "flag": [lambda job: job.group().update(amsgrad=True)],
    "tensor that is written": [
        lambda job: job.group().update(lr=gc.tensor(0.1)),
        lambda job: job.group()["lr"].fill_(0.5),
    ],
    "flag that is written": [
        lambda job: job.group().update(amsgrad=np.array(False)),
        lambda job: job.group()["amsgrad"].fill(True),
    ],
    "betas in place": [
        lambda job: job.group().update(betas=[0.9, 0.999]),
        lambda job: job.group()["betas"].__setitem__(0, 0.1),
    ],
    "params append": [lambda job: job.group()["params"].append(job.spare)],
    "params extend": [lambda job: job.group()["params"].extend([job.spare])],
    "params insert": [lambda job: job.group()["params"].insert(0, job.spare)],
    "params replaced": [lambda job: job.group()["params"].__setitem__(0, job.spare)],
    "params sliced": [lambda job: job.group()["params"].__setitem__(slice(1), [job.spare])],
    "params deleted": [lambda job: job.group()["params"].__delitem__(0)],
    "params popped": [lambda job: job.group()["params"].pop()],
    "params cleared": [lambda job: job.group()["params"].clear()],
    "params moved": [lambda job: job.group(1)["params"].append(job.group()["params"].pop(0))],
    "another list": [lambda job: job.group().update(params=[job.spare])],
    "a plain list": [_plain_list, lambda job: job.list.__setitem__(0, job.spare)],
    "groups popped": [lambda job: job.optimizer.param_groups.pop(0)],
    "groups turned": [lambda job: job.optimizer.param_groups.reverse()],
    "group added": [lambda job: job.optimizer.add_param_group({"params": job.spare})],
    "plain groups": [_plain_groups, lambda job: job.list.pop()],
    "a plain group": [_plain_group, lambda job: job.list.update(weight_decay=0.5)],
    "state cleared": [lambda job: job.optimizer.state.clear()],
    "state of one": [lambda job: job.optimizer.state.pop(job.net[0].weight)],
    "an entry": [lambda job: job.state().update(exp_avg=_fresh(job.net[0].weight))],
    "an entry goes": [lambda job: job.state().pop("exp_avg_sq")],
    "entries cleared": [lambda job: job.state().clear()],
    "plain entries": [
        _plain_entries, lambda job: job.list.update(exp_avg=_fresh(job.net[0].weight)),
    ],
    "plain state": [_plain_state, lambda job: job.list.clear()],
    "loaded": [lambda job: job.optimizer.load_state_dict(Job().optimizer.state_dict())],
}  # fmt: skip


def train(job: Job, step: Any, changes: list[Callable[[Job], object]]) -> list[Any]:
    """What steps give; three of them come before each change and behind the last one."""
    x = gc.tensor(np.linspace(-1, 1, 15).reshape(5, 3))
    seen = []
    for change in (*changes, lambda job: None):
        for _ in range(3):
            loss = step(x)
            seen.append(
                [loss.item(), job.spare.tolist(), [p.tolist() for p in job.net.parameters()]]
            )
        change(job)
    return seen


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_reaches_the_next_call(change: str) -> None:
    dynamic, static = Job(), Job()
    expected = train(dynamic, dynamic.step, CHANGES[change])
    fast = gc.compile(static.step)
    got = train(static, fast, CHANGES[change])
    assert fast.cache_info().hits > 0
    np.testing.assert_allclose(_flat(got), _flat(expected), rtol=1e-11, atol=1e-12)


def _flat(values: Any) -> list[float]:
    return [y for x in values for y in _flat(x)] if isinstance(values, list) else [values]


def test_a_rule_of_ones_own_is_asked_at_each_call() -> None:
    def flip(job: Job) -> None:
        job.optimizer.outside["maximize"] = True

    dynamic, static = Job(Own), Job(Own)
    expected = train(dynamic, dynamic.step, [flip])
    got = train(static, gc.compile(static.step), [flip])
    np.testing.assert_allclose(_flat(got), _flat(expected), rtol=1e-11, atol=1e-12)


def test_nothing_is_compared_while_nothing_changes() -> None:
    job = Job()
    fast = gc.compile(job.step)
    x = gc.ones(5, 3)
    for _ in range(4):
        fast(x)
    guards = fast.entry(x).graph.recorder.guards
    noting = [guard for guard in guards if "Adam" in guard.what]
    assert [guard.what for guard in noting] == [
        "that Adam has these parameters", "the hooks of Adam", "Adam options of group 0",
        "Adam options of group 1", "that Adam has this state",
    ]  # fmt: skip
    assert all(guard.announces_changes for guard in noting)


def test_groups_and_state_are_still_dicts_and_lists() -> None:
    job = Job()
    job.step(gc.ones(5, 3))
    saved = job.optimizer.state_dict()
    assert json.loads(json.dumps(saved["param_groups"]))[0]["params"] == [0, 1]
    assert isinstance(job.optimizer.state, defaultdict)
    assert isinstance(job.group(), dict)
    assert isinstance(job.group()["params"], list)
    assert job.optimizer.state[job.spare] == {}
    del job.optimizer.state[job.spare]
    again = pickle.loads(pickle.dumps(ParamGroup(lr=0.5)))
    assert (type(again), again) == (ParamGroup, {"lr": 0.5})
    copied = copy.deepcopy(job.optimizer)
    assert type(copied.state) is type(job.optimizer.state)
    own, *_ = copied.param_groups[0]["params"]
    assert own is not job.net[0].weight
    assert {*copied.state[own]} == {*job.state()}
    assert copied.param_groups[0]["lr"] == 0.1
