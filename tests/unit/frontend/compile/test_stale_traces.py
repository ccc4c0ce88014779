"""Compiled functions see every change of modules and optimizers, and trace anew for no other."""

from __future__ import annotations

import copy
import pickle
import threading
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import graphc as gc
import graphc.nn.functional as F
from graphc import nn, optim
from graphc.frontend.guards.observed import Observed


class Net(nn.Module):
    """Layers of all kinds, plain attributes, and a list of modules."""

    scale = 2.0

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(4, 6)
        self.norm = nn.BatchNorm1d(6)
        self.layer_norm = nn.LayerNorm(6)
        self.drop = nn.Dropout(0.5)
        self.act: Any = nn.LeakyReLU(0.1)
        self.row = nn.Sequential(nn.Linear(6, 6), nn.GELU())
        self.blocks = nn.ModuleList([nn.Linear(6, 6)])
        self.named = nn.ModuleDict({"tail": nn.Linear(6, 3)})
        self.shift = 0.25
        self.powers = [1, 2]
        self.options = {"sign": 1.0}
        self.unused = 0
        self.extra: Any = None

    def forward(self, x: Any) -> Any:
        x = self.drop(self.act(self.norm(self.first(x)))) * self.scale + self.shift
        x = self.row(self.layer_norm(x))
        for block in self.blocks:
            x = x + block(x)
        for power in self.powers:
            x = x + 0.1 * x**power
        if self.extra is not None:
            x = x + self.extra
        for layer in self.named.values():
            x = layer(x)
        return x * self.options["sign"]


class Job:
    """A net, its optimizer and a training step that counts how often Python runs it."""

    def __init__(self) -> None:
        gc.manual_seed(5)
        self.net = Net()
        self.optimizer: optim.Optimizer = optim.Adam(
            [p for name, p in self.net.named_parameters() if not name.startswith("blocks")], lr=0.01
        )
        self.spare = nn.Parameter(gc.ones(1))
        self.optimizer.add_param_group({"params": self.spare})
        self.runs = 0
        self.runs_after: list[int] = []

    def step(self, x: Any, y: Any) -> Any:
        self.runs += 1
        self.net.zero_grad()
        self.optimizer.zero_grad()
        self.spare.grad = None
        loss = F.cross_entropy(self.net(x) * self.spare, y)
        loss.backward()
        nn.utils.clip_grad_norm_(self.net.parameters(), 1.0)
        self.optimizer.step()
        return loss

    def values(self) -> dict[str, np.ndarray]:
        found = {key: value.numpy().copy() for key, value in self.net.state_dict().items()}
        for number, entries in self.optimizer.state_dict()["state"].items():
            found |= {f"{number}.{key}": value.numpy().copy() for key, value in entries.items()}
        return found


def parameter(*shape: int) -> nn.Parameter:
    values = np.linspace(-0.5, 0.5, int(np.prod(shape)), dtype=np.float32)
    return nn.Parameter(values.reshape(shape))


def linear() -> nn.Linear:
    made = nn.Linear(6, 6)
    with gc.no_grad():
        made.weight.copy_(parameter(6, 6))
        made.bias.copy_(parameter(6))
    return made


def replace_and_optimize(job: Job) -> None:
    job.net.first.weight = parameter(6, 4)
    job.optimizer.add_param_group({"params": [job.net.first.weight], "lr": 0.5})


def reload_into_new_memory(job: Job) -> None:
    """The state of every parameter gets other memory."""
    state = job.optimizer.state_dict()
    job.optimizer.state = defaultdict(dict)
    state["state"] = {n: {k: v.clone() for k, v in e.items()} for n, e in state["state"].items()}
    job.optimizer.load_state_dict(state)


def replace_buffer(job: Job) -> None:
    job.net.norm.running_mean = gc.ones(6)


CHANGES: dict[str, Callable[[Job], object]] = {
    "parameter": lambda job: setattr(job.net.first, "weight", parameter(6, 4)),
    "parameter_and_group": replace_and_optimize,
    "parameter_to_none": lambda job: setattr(job.net.first, "bias", None),
    "parameter_dict": lambda job: job.net.first._parameters.update(weight=parameter(6, 4)),
    "buffer": replace_buffer,
    "module": lambda job: setattr(job.net, "act", nn.Tanh()),
    "append": lambda job: job.net.row.append(nn.Tanh()),
    "insert": lambda job: job.net.row.insert(0, nn.Tanh()),
    "set_item": lambda job: job.net.row.__setitem__(1, nn.Tanh()),
    "delete_item": lambda job: job.net.row.__delitem__(1),
    "list_append": lambda job: job.net.blocks.append(linear()),
    "dict_add": lambda job: job.net.named.update({"last": nn.Tanh()}),
    "dict_pop": lambda job: job.net.named.pop("tail"),
    "add_param_group": lambda job: job.optimizer.add_param_group(
        {"params": job.net.blocks.parameters()}
    ),
    "group_removed": lambda job: job.optimizer.param_groups.pop(),
    "params_shortened": lambda job: job.optimizer.param_groups[0]["params"].pop(0),
    "state_dropped": lambda job: setattr(job.optimizer, "state", defaultdict(dict)),
    "state_cleared": lambda job: job.optimizer.state.clear(),
    "state_reloaded": reload_into_new_memory,
    "dropout_p": lambda job: setattr(job.net.drop, "p", 0.1),
    "bn_momentum": lambda job: setattr(job.net.norm, "momentum", 0.7),
    "bn_momentum_none": lambda job: setattr(job.net.norm, "momentum", None),
    "bn_eps": lambda job: setattr(job.net.norm, "eps", 0.5),
    "layer_norm_eps": lambda job: setattr(job.net.layer_norm, "eps", 0.5),
    "leaky_relu": lambda job: setattr(job.net.act, "negative_slope", 0.5),
    "gelu": lambda job: setattr(job.net.row[1], "approximate", "tanh"),
    "eval": lambda job: job.net.eval(),
    "eval_part": lambda job: job.net.drop.eval(),
    "plain": lambda job: setattr(job.net, "shift", -1.0),
    "plain_over_class": lambda job: setattr(job.net, "scale", -1.0),
    "list_in_place": lambda job: job.net.powers.append(3),
    "dict_in_place": lambda job: job.net.options.update(sign=-1.0),
    "tensor": lambda job: setattr(job.net, "extra", gc.ones(6)),
    "method": lambda job: setattr(job.net.act, "forward", lambda x: x * 3),
    "double": lambda job: job.net.double(),
    "frozen": lambda job: job.net.row.requires_grad_(False),
}


def train(job: Job, step: Any, change: Callable[[Job], object]) -> list[dict[str, np.ndarray]]:
    """Losses and state over seven steps; the change comes before the fourth."""
    rng = np.random.default_rng(0)
    gc.manual_seed(9)
    seen = []
    for number in range(7):
        x = gc.tensor(rng.normal(size=(8, 4)).astype(np.float32))
        y = gc.tensor(rng.integers(0, 3, 8))
        if number == 3:
            change(job)
        loss = step(x, y)
        job.runs_after.append(job.runs)
        seen.append({"loss": loss.detach().numpy().copy(), **job.values()})
    return seen


@pytest.fixture(scope="module")
def unchanged() -> list[dict[str, np.ndarray]]:
    """What the steps give after no change."""
    job = Job()
    return train(job, job.step, lambda job: None)


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_reaches_the_next_call_as_dynamically(
    change: str, unchanged: list[dict[str, np.ndarray]]
) -> None:
    dynamic, static = Job(), Job()
    expected = train(dynamic, dynamic.step, CHANGES[change])
    fast = gc.compile(static.step, backend="numpy", optimize="O0")
    got = train(static, fast, CHANGES[change])
    before, at_once, *later = static.runs_after[2:]
    assert static.runs_after[1] == before < at_once
    assert later[1] == later[-1] <= at_once + 1  # one more where a gradient exists from then on
    for want, have in zip(expected, got, strict=True):
        assert want.keys() == have.keys()
        for key, value in want.items():
            np.testing.assert_array_equal(have[key], value, err_msg=key)
    same = [key for key in unchanged[-1] if np.array_equal(unchanged[-1][key], got[-1].get(key))]
    assert len(same) < len(unchanged[-1]) or change == "state_reloaded"


def test_what_the_program_does_not_read_needs_no_new_trace() -> None:
    job = Job()
    fast = gc.compile(job.step, backend="numpy", optimize="O0")
    x, y = gc.ones(2, 4), gc.tensor([0, 1])
    other = nn.Linear(2, 2)
    fast(x, y)  # leaves gradients behind
    fast(x, y)
    runs = job.runs
    for number in range(4):
        fast(x, y)
        job.net.unused = number
        job.net.shift = 0.25
        job.net.train()
        other.weight = nn.Parameter(gc.ones(2, 2))
        job.net.load_state_dict({k: v.clone() for k, v in job.net.state_dict().items()})
        job.optimizer.load_state_dict(job.optimizer.state_dict())
        job.optimizer.param_groups[0]["lr"] = 0.1 / (number + 1)
    assert job.runs == runs


def test_changing_back_finds_the_earlier_trace() -> None:
    job = Job()
    fast = gc.compile(job.step, backend="numpy", optimize="O0")
    x, y = gc.ones(2, 4), gc.tensor([0, 1])
    fast(x, y)  # leaves gradients behind
    fast(x, y)
    runs = job.runs
    for p in (0.5, 0.25, 0.5, 0.25):
        job.net.drop.p = p
        fast(x, y)
    assert job.runs == runs + 1
    assert fast.cache_info().reasons[-1] == "Dropout.p was 0.5, is 0.25"
    job.net.drop = nn.Dropout(0.25)
    fast(x, y)
    assert fast.cache_info().reasons[-1] == "Net.drop was replaced"


def test_another_dtype_and_back() -> None:
    net = nn.Linear(2, 2)
    fast = gc.compile(net, backend="numpy", optimize="O0")
    x = gc.ones(1, 2)
    for change, dtype in (
        (net.float, gc.float32),
        (net.double, gc.float64),
        (net.float, gc.float32),
    ):
        change()
        assert fast(x).dtype is net(x).dtype is dtype
        assert fast(x).tolist() == net(x).tolist()
    assert fast.cache_info().misses == 2


def test_attributes_read_outside_of_forward_count() -> None:
    drop, linear = nn.Dropout(0.5), nn.Linear(2, 2, bias=False)

    def f(x: Any) -> Any:
        return F.linear(x, linear.weight) * drop.p

    fast = gc.compile(f, backend="numpy")
    for change in (
        lambda: None,
        lambda: setattr(drop, "p", 0.25),
        lambda: setattr(linear, "weight", parameter(2, 2)),
    ):
        change()
        assert fast(gc.ones(1, 2)).tolist() == f(gc.ones(1, 2)).tolist()
    assert fast.cache_info().misses == 3


def test_attributes_that_the_trace_itself_sets_do_not_trace_forever() -> None:
    class Caching(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.last = 0
            self.table: Any = None

        def forward(self, x: Any) -> Any:
            self.last = x.ndim
            if self.table is None:
                self.table = nn.Buffer(gc.tensor([3.0]))
            return x * self.table

    net = Caching()
    fast = gc.compile(net, backend="numpy")
    for _ in range(3):
        assert fast(gc.ones(1)).item() == 3.0
    assert net.last == 1
    assert fast.cache_info().misses == 2  # the second finds what the first one has made
    net.table = gc.tensor([4.0])
    assert fast(gc.ones(1)).item() == 4.0


def test_more_variants_of_one_signature_than_are_kept() -> None:
    drop = nn.Dropout(0.0)
    fast = gc.compile(lambda x: x * drop.p, backend="numpy", optimize="O0")
    for number in range(40):
        drop.p = number / 64
        assert fast(gc.ones(1)).item() == number / 64
    assert fast.cache_info().size == 32
    drop.p = 39 / 64
    fast(gc.ones(1))
    assert fast.cache_info().misses == 40


def test_modules_pay_nothing_while_nobody_traces() -> None:
    assert "__getattribute__" not in vars(Observed)
    seen = []
    net = nn.Linear(2, 2)

    def f(x: Any) -> Any:
        seen.append("__getattribute__" in vars(Observed))
        return net(x)

    gc.compile(f, backend="numpy")(gc.ones(1, 2))
    with pytest.raises(ZeroDivisionError):
        gc.compile(lambda x: f(x) / (1 // 0), backend="numpy")(gc.ones(1, 2))
    assert seen == [True, True]
    assert "__getattribute__" not in vars(Observed)


def test_threads_trace_side_by_side() -> None:
    nets = [nn.Sequential(nn.Linear(3, 3), nn.Dropout(0.0)) for _ in range(4)]
    compiled = [gc.compile(net, backend="numpy", optimize="O0") for net in nets]
    barrier = threading.Barrier(4)
    failures: list[BaseException] = []

    def work(number: int) -> None:
        try:
            barrier.wait()
            for size in range(1, 6):
                compiled[number](gc.ones(size, 3))
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert "__getattribute__" not in vars(Observed)
    nets[0][0].weight = parameter(3, 3)
    for number, fast in enumerate(compiled):
        fast(gc.ones(5, 3))
        assert fast.cache_info().misses == (6 if number == 0 else 5)


@pytest.mark.parametrize("clone", [copy.deepcopy, lambda net: pickle.loads(pickle.dumps(net))])
def test_copies_of_modules_are_observed_too(clone: Callable[[Any], Any]) -> None:
    net = clone(nn.Sequential(nn.Linear(2, 2), nn.Dropout(0.0)))
    fast = gc.compile(net, backend="numpy", optimize="O0")
    before = fast(gc.ones(1, 2)).tolist()
    net[0].weight = parameter(2, 2)
    assert fast(gc.ones(1, 2)).tolist() == net(gc.ones(1, 2)).tolist() != before
