"""Hooks of modules: around calls, around gradients, of all modules, dynamically and compiled."""

import copy
import gc as garbage
import pickle
import weakref
from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc import nn
from graphc.errors import ArgumentError, ArgumentTypeError, AutogradError, RecordingError
from graphc.frontend.nn.hooks.hook import RemovableHandle
from graphc.nn.modules import module as everywhere


class Scaled(nn.Module):
    def forward(self, x: gc.Tensor, scale: float = 1.0) -> gc.Tensor:
        return x * scale


class Broken(nn.Module):
    def forward(self, x: gc.Tensor) -> gc.Tensor:
        raise OverflowError("broken")


def test_forward_hooks_see_and_replace() -> None:
    layer, seen = Scaled(), []
    pre = layer.register_forward_pre_hook(lambda m, args: seen.append(("pre", m is layer, args)))
    one = layer.register_forward_pre_hook(lambda m, args: args[0] + 1)
    both = layer.register_forward_pre_hook(
        lambda m, args, kwargs: (args, {"scale": kwargs["scale"] * 2}), with_kwargs=True
    )
    after = layer.register_forward_hook(lambda m, args, out: seen.append(("out", out.tolist())))
    more = layer.register_forward_hook(lambda m, args, kwargs, out: out - kwargs["scale"],
                                       with_kwargs=True)  # fmt: skip
    first = layer.register_forward_hook(lambda m, args, out: out * 100, prepend=True)
    x = gc.ones(2)
    assert layer(x, scale=3.0).tolist() == [2 * 6 * 100 - 6] * 2
    assert seen[0] == ("pre", True, (x,))
    assert seen[1] == ("out", [1200, 1200])
    for handle in (pre, one, both, after, more, first, first):
        assert isinstance(handle, RemovableHandle)
        handle.remove()
    assert layer(x, scale=3.0).tolist() == [3, 3]
    with layer.register_forward_hook(lambda m, args, out: out + 1):
        assert layer(x).tolist() == [2, 2]
    assert layer(x).tolist() == [1, 1]


def test_a_hook_may_take_itself_off() -> None:
    layer, seen = Scaled(), []

    def once(*_: Any) -> None:
        seen.append(1)
        handle.remove()

    handle = layer.register_forward_hook(once)
    layer.register_forward_hook(lambda *_: seen.append(2))
    layer(gc.ones(1))
    layer(gc.ones(1))
    assert seen == [1, 2, 2]


def test_handles_keep_no_module_alive_and_travel() -> None:
    layer = Scaled()
    handle = layer.register_forward_hook(print)
    copied, same = pickle.loads(pickle.dumps((layer, handle)))
    same.remove()
    assert not copied._call_hooks
    assert layer._call_hooks
    gone = weakref.ref(layer)
    del layer
    garbage.collect()
    assert gone() is None
    handle.remove()
    with pytest.raises(ArgumentTypeError, match="callable"):
        Scaled().register_forward_hook(3)


def test_hooks_that_are_always_called() -> None:
    layer, seen = Broken(), []
    layer.register_forward_hook(lambda m, args, out: seen.append(out), always_call=True)
    layer.register_forward_hook(lambda m, args, out: seen.append("never"))

    def fails(*_: Any) -> None:
        raise ValueError("in the hook")

    layer.register_forward_hook(fails, always_call=True)
    with pytest.raises(OverflowError), pytest.warns(UserWarning, match="in the hook"):
        layer(gc.ones(1))
    assert seen == [None]
    fine = Scaled()
    fine.register_forward_hook(lambda m, args, out: seen.append("once"), always_call=True)
    fine.register_forward_hook(fails)
    with pytest.raises(ValueError, match="in the hook"):
        fine(gc.ones(1))
    assert seen == [None, "once"]


def test_backward_hooks_see_and_replace() -> None:
    layer, seen = nn.Linear(2, 1, bias=False), []
    nn.init.constant_(layer.weight, 2.0)
    layer.register_full_backward_pre_hook(lambda m, grads: (grads[0] * 10,))
    layer.register_full_backward_hook(lambda m, ins, outs: seen.append((ins, outs)))
    layer.register_full_backward_hook(lambda m, ins, outs: (ins[0] + 1,))
    x = gc.ones(1, 2, requires_grad=True)
    layer(x).sum().backward()
    ((ins, outs),) = seen
    assert (ins[0].tolist(), outs[0].tolist()) == ([[20, 20]], [[10]])
    assert x.grad.tolist() == [[21, 21]]
    assert layer.weight.grad.tolist() == [[10, 10]]
    with gc.no_grad():
        layer(x)
    assert len(seen) == 1


def test_backward_hooks_that_return_nonsense() -> None:
    layer = Scaled()
    handle = layer.register_full_backward_hook(lambda m, ins, outs: (None, None, None))
    x = gc.ones(1, requires_grad=True)
    with pytest.raises(AutogradError, match="grad_input"):
        layer(x).sum().backward()
    handle.remove()
    layer.register_full_backward_pre_hook(lambda m, outs: outs[0])
    with pytest.raises(AutogradError, match="grad_output"):
        layer(x).sum().backward()
    pre = Scaled()
    pre.register_forward_pre_hook(lambda m, args, kwargs: args, with_kwargs=True)
    with pytest.raises(ArgumentError, match="pre-hook"):
        pre(x)


def test_compiled_functions_notice_hooks(rng: np.random.Generator) -> None:
    layer = nn.Sequential(nn.Linear(3, 2), nn.ReLU())
    run = gc.compile(lambda x: layer(x))
    x = gc.tensor(rng.normal(size=(4, 3)).astype(np.float32))
    plain = run(x).detach().numpy()
    handle = layer[1].register_forward_hook(lambda m, args, out: out * 2)
    np.testing.assert_array_equal(run(x).detach().numpy(), plain * 2)
    run(x)
    assert run.cache_info().misses == 2
    assert "forward hook" in run.cache_info().reasons[-1]
    handle.remove()
    np.testing.assert_array_equal(run(x).detach().numpy(), plain)
    assert run.cache_info().misses == 2
    with everywhere.register_module_forward_hook(lambda m, args, out: out + 1):
        np.testing.assert_allclose(run(x).detach().numpy(), layer(x).detach().numpy(), rtol=1e-6)
    np.testing.assert_array_equal(run(x).detach().numpy(), plain)


def test_compiled_steps_run_backward_hooks(rng: np.random.Generator) -> None:
    def train(compiled: bool) -> tuple[list[float], list[Any]]:
        gc.manual_seed(0)
        net = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1))
        shapes: list[Any] = []
        net[1].register_full_backward_hook(lambda m, ins, outs: (ins[0] * 0.5,))
        net[2].register_full_backward_pre_hook(lambda m, outs: (outs[0].clamp(-0.01, 0.01),))
        net[0].register_full_backward_hook(lambda m, ins, outs: shapes.append(outs[0].shape))
        optimizer = gc.optim.SGD(net.parameters(), 0.1)

        def step(x: gc.Tensor) -> gc.Tensor:
            optimizer.zero_grad()
            loss = (net(x) ** 2).sum()
            loss.backward()
            optimizer.step()
            return loss.detach()

        run = gc.compile(step) if compiled else step
        return [run(x).item() for _ in range(5)], shapes

    x = gc.tensor(rng.normal(size=(6, 3)).astype(np.float32), requires_grad=True)
    (dynamic, times), (static, once) = train(False), train(True)
    np.testing.assert_allclose(dynamic, static, rtol=1e-5)
    assert len(times) == 5
    assert len(once) == 1
    assert static[-1] < static[0]


def test_a_trace_must_not_change_hooks() -> None:
    layer = Scaled()

    def once(*_: Any) -> None:
        handle.remove()

    handle = layer.register_forward_hook(once)
    with pytest.raises(RecordingError, match="_call_hooks was read and then changed"):
        gc.compile(lambda x: layer(x))(gc.ones(1))


def test_hooks_for_the_time_of_a_traced_call_are_fine() -> None:
    layer = Scaled()

    def features(x: gc.Tensor) -> gc.Tensor:
        found = []
        with layer.register_forward_hook(lambda m, args, out: found.append(out)):
            layer(x, scale=2.0)
        return found[0] + 1

    run = gc.compile(features)
    assert run(gc.ones(2)).tolist() == run(gc.ones(2)).tolist() == [3, 3]
    assert run.cache_info().misses == 1


def test_hooks_of_lazy_modules_run_after_their_parameters_are_there() -> None:
    layer = nn.LazyLinear(2)
    seen = []
    layer.register_forward_pre_hook(lambda m, args: seen.append(m.weight.shape))
    layer.register_forward_hook(lambda m, args, out: out * 0)
    assert layer(gc.ones(1, 3)).tolist() == [[0, 0]]
    assert layer(gc.ones(1, 3)).tolist() == [[0, 0]]
    assert seen == [(2, 3)] * 2


def test_copies_have_the_hooks() -> None:
    layer = Scaled()
    layer.register_forward_hook(lambda m, args, out: out + 1)
    deep, shallow = copy.deepcopy(layer), copy.copy(layer)
    handle = deep.register_forward_hook(lambda m, args, out: out * 10)
    assert deep(gc.ones(1)).tolist() == [20]
    assert layer(gc.ones(1)).tolist() == [2]
    handle.remove()
    shallow.register_forward_hook(lambda m, args, out: out * 10)  # as in PyTorch, they share
    assert layer(gc.ones(1)).tolist() == [20]


def test_registration_hooks_of_all_modules() -> None:
    seen: list[Any] = []
    kinds = ("parameter", "buffer", "module")
    handles = [
        getattr(everywhere, f"register_module_{kind}_registration_hook")(
            lambda m, name, value, kind=kind: seen.append((kind, name))
        )
        for kind in kinds
    ]
    handles.append(
        everywhere.register_module_parameter_registration_hook(
            lambda m, name, x: nn.Parameter(x.detach() * 0)
        )
    )
    try:
        nn.Sequential(nn.Linear(1, 1), nn.BatchNorm1d(1))
        plain = nn.Module()
        plain.weight = nn.Parameter([5.0])
    finally:
        for handle in handles:
            handle.remove()
    assert seen[:3] == [("parameter", "weight"), ("parameter", "bias"), ("parameter", "weight")]
    assert ("buffer", "num_batches_tracked") in seen
    assert seen[-3:] == [("module", "0"), ("module", "1"), ("parameter", "weight")]
    assert plain.weight.tolist() == [0]
    nn.Linear(1, 1)
    assert len(seen) == 10


def both(run: Any, **options: Any) -> tuple[Any, Any]:
    torch = pytest.importorskip("torch")
    return run(gc, nn, **options), run(torch, torch.nn, **options)


def listed(value: Any) -> Any:
    """Tensors of either kind as lists, in any nesting."""
    if isinstance(value, tuple | list):
        return [listed(each) for each in value]
    return value.tolist() if hasattr(value, "tolist") else value


@pytest.mark.parity
@pytest.mark.filterwarnings("ignore:Full backward hook is firing")
@pytest.mark.parametrize("tracked", [(True, True), (True, False), (False, True), (False, False)])
@pytest.mark.parametrize("used", [0, 1])
def test_gradients_are_those_that_pytorchs_hooks_see(
    tracked: tuple[bool, bool], used: int
) -> None:  # fmt: skip
    def run(gc: Any, nn: Any) -> Any:
        class Two(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.weight = nn.Parameter(gc.full((2,), 3.0))

            def forward(self, x: Any, y: Any, k: int) -> Any:
                return x * y * self.weight, y + self.weight, k

        module, seen = Two(), []
        module.register_full_backward_hook(lambda m, ins, outs: seen.append(listed([ins, outs])))
        module.register_full_backward_pre_hook(lambda m, outs: seen.append(listed(outs)))
        module.register_full_backward_pre_hook(
            lambda m, outs: tuple(None if each is None else each * 2 for each in outs)
        )
        x, y = (gc.ones(2, requires_grad=each) for each in tracked)
        module(x, y, 5)[used].sum().backward()
        return seen, listed([each.grad for each in (x, y, module.weight)])

    ours, theirs = both(run)
    assert ours == theirs


@pytest.mark.parity
def test_the_order_of_hooks_is_pytorchs() -> None:
    def run(gc: Any, nn: Any) -> Any:
        everywhere = nn.modules.module
        net, seen = nn.Sequential(nn.Linear(2, 2), nn.ReLU()), []
        note = lambda what: lambda m, *_: seen.append((type(m).__name__, what))  # noqa: E731
        handles = [
            everywhere.register_module_forward_pre_hook(note("all pre")),
            everywhere.register_module_forward_hook(note("all after"), always_call=True),
            everywhere.register_module_full_backward_pre_hook(note("all backward pre")),
            everywhere.register_module_full_backward_hook(note("all backward")),
        ]
        for module in net.modules():
            module.register_forward_hook(note("after"))
            module.register_forward_hook(note("after first"), prepend=True)
            module.register_forward_pre_hook(note("pre"), with_kwargs=True)
            module.register_forward_pre_hook(note("pre first"), prepend=True)
            module.register_full_backward_pre_hook(note("backward pre"))
            module.register_full_backward_hook(note("backward"))
            module.register_full_backward_hook(note("backward first"), prepend=True)
        try:
            net(gc.ones(1, 2, requires_grad=True)).sum().backward()
        finally:
            for handle in handles:
                handle.remove()
        return seen

    ours, theirs = both(run)
    assert ours == theirs
