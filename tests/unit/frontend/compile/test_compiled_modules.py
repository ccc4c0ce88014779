"""gc.compile(model): one module under two names; and why functions are traced again."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

import graphc as gc
from graphc import nn, optim
from graphc.frontend.guards.reads import tracking_reads


def _model() -> nn.Sequential:
    gc.manual_seed(1)
    return nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Dropout(0.5), nn.Linear(4, 2))


def test_it_shares_everything_with_the_module() -> None:
    model = _model()
    fast = gc.compile(model)
    assert isinstance(fast, nn.Sequential)
    assert list(fast.state_dict()) == list(model.state_dict())
    assert all(a is b for a, b in zip(fast.parameters(), model.parameters(), strict=True))
    assert fast[0] is model[0]
    assert fast.eval() is fast
    assert not model.training
    assert not model[2].training
    model.extra = 5
    assert fast.extra == 5
    fast.register_buffer("more", gc.ones(1))
    assert "more" in model.state_dict()


def test_it_computes_what_the_module_does() -> None:
    model = _model()
    fast = gc.compile(model)
    x = gc.randn(6, 3)
    gc.manual_seed(2)
    want = model(x)
    means = model[1].running_mean.clone()
    model[1].reset_running_stats()
    gc.manual_seed(2)
    np.testing.assert_allclose(fast(x).detach(), want.detach(), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(model[1].running_mean, means, rtol=1e-6)
    fast.eval()
    np.testing.assert_allclose(fast(x).detach(), model(x).detach(), rtol=1e-5, atol=1e-6)


def test_as_a_part_of_another_module() -> None:
    inner = _model()
    outer = nn.Sequential(gc.compile(inner), nn.Linear(2, 1))
    assert next(iter(outer.state_dict())) == "0.0.weight"
    optimizer = optim.SGD(outer.parameters(), lr=0.1)
    before = inner[0].weight.detach().clone()
    outer(gc.randn(5, 3)).sum().backward()
    optimizer.step()
    assert not np.array_equal(before, inner[0].weight.detach())
    outer.eval()
    assert not inner.training


def test_inside_a_compiled_step_it_is_part_of_it() -> None:
    fast = gc.compile(_model())
    optimizer = optim.Adam(fast.parameters())

    @gc.compile
    def step(x: gc.Tensor) -> gc.Tensor:
        optimizer.zero_grad()
        loss = fast(x).square().mean()
        loss.backward()
        optimizer.step()
        return loss

    losses = [step(gc.ones(4, 3)).item() for _ in range(3)]
    assert len(set(losses)) == 3
    assert fast.cache_info().misses == 0


def test_copies_are_compiled_forms_of_copies() -> None:
    fast = gc.compile(_model().eval(), threads=1)
    x = gc.ones(2, 3)
    for other in (copy.deepcopy(fast), pickle.loads(pickle.dumps(fast))):
        assert other[0].weight is not fast[0].weight
        np.testing.assert_array_equal(other(x).detach(), fast(x).detach())
        assert other.compiled_function().options == fast.compiled_function().options


def test_reports_of_the_session() -> None:
    fast = gc.compile(nn.Linear(3, 2))
    fast(gc.ones(1, 3))
    assert "kernels" in str(fast.session(gc.ones(1, 3)).explain())
    fast.cache_clear()
    assert fast.cache_info().size == 0
    assert gc.compare(fast, gc.ones(4, 3)).max_abs < 1e-5


def test_reasons_name_what_has_changed() -> None:
    model = _model()
    fast = gc.compile(model)
    fast(gc.ones(4, 3))
    fast(gc.ones(5, 3))
    fast(gc.ones(5, 3, requires_grad=True))
    with gc.no_grad():
        fast(gc.ones(5, 3))
    model.eval()
    with gc.no_grad():
        fast(gc.ones(5, 3))
        fast(gc.ones(5, 3))
    assert fast.cache_info().reasons == (
        "first call",
        "input was f32[4,3], is f32[5,3]",
        "input was f32[5,3], is f32[5,3], which requires a gradient",
        "tracking of gradients was True, is False",
        "BatchNorm1d.training was True, is False",
    )


def test_reasons_inside_structures_and_values() -> None:
    fast = gc.compile(lambda pair, factor, **more: pair[0] * factor)
    one = gc.ones(2)
    fast((one, one), 2.0)
    fast((one, gc.ones(3)), 2.0)
    fast((one, gc.ones(3)), 3.0)
    fast([one, gc.ones(3)], 3.0)
    fast([one], 3.0)
    fast([one], 3)
    fast([one], 3, name="a")
    fast(nn.Parameter(gc.ones(1, 2)), 3)
    reasons = fast.cache_info().reasons
    assert reasons[:6] == (
        "first call",
        "pair[1] was f32[2], is f32[3]",
        "factor was 2.0, is 3.0",
        "pair was a tuple of 2, is a list of 2",
        "pair was a list of 2, is a list of 1",
        "factor was 3.0, is 3",
    )
    assert reasons[6].startswith("keyword arguments was") or "name" in reasons[6]
    assert reasons[7].startswith("pair was a list of 1, is one Parameter")


@pytest.mark.parametrize("count", [40])
def test_the_cache_is_bounded(count: int) -> None:
    fast = gc.compile(lambda x: x + 1, backend="numpy")
    for size in range(1, count + 1):
        fast(gc.ones(size))
    info = fast.cache_info()
    assert info.misses == count
    assert info.size == 32


@pytest.mark.parametrize("module", [nn.Linear(2, 2), nn.ReLU(), nn.BatchNorm1d(2), _model()])
def test_calls_look_at_no_attribute_of_a_layer_each_time(module: nn.Module) -> None:
    with tracking_reads() as reads:
        gc.trace(module, gc.ones(3, 2 if not isinstance(module, nn.Sequential) else 3))
    with reads.settled():
        pass
    assert reads.looked_at_each_time == []
