"""L-BFGS against PyTorch's, and on functions whose lowest point is known."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc import nn, optim
from graphc.errors import ArgumentError, RecordingError

STARTS = [np.array([-1.2, 1.0, 0.7]), np.array([[2.0, 0.3], [0.5, -1.0]]), np.array(0.1)]


def rosenbrock(params: Any) -> Any:
    x = params[0]
    return ((1 - x[:-1]) ** 2 + 100 * (x[1:] - x[:-1] ** 2) ** 2).sum() + (params[1] ** 2).sum()


def bowl(params: Any) -> Any:
    x, y, z = params
    return ((x - 1) ** 2).sum() * 3 + (y @ y - 2).abs().sum() * 0 + (y**4).sum() + (z + x[0]) ** 2


def waves(params: Any) -> Any:
    x, y, z = params
    return (x.sin() * 3 + x**2 / 4).sum() + (y.cos() + y**2 / 8).sum() + z.exp() - z


LOSSES: dict[str, Callable[[Any], Any]] = {"rosenbrock": rosenbrock, "bowl": bowl, "waves": waves}
OPTIONS: dict[str, dict[str, Any]] = {
    "plain": {"lr": 0.01}, "short": {"lr": 0.01, "max_iter": 3, "history_size": 2},
    "wolfe": {"line_search_fn": "strong_wolfe"},
    "wolfe short": {"line_search_fn": "strong_wolfe", "max_iter": 4, "history_size": 3},
    "wolfe far": {"line_search_fn": "strong_wolfe", "lr": 30.0, "max_iter": 6},
    "wolfe near": {"line_search_fn": "strong_wolfe", "lr": 1e-3, "max_iter": 6},
    "wolfe few": {"line_search_fn": "strong_wolfe", "max_iter": 6, "max_eval": 7},
    "loose": {"line_search_fn": "strong_wolfe", "tolerance_grad": 1e-2, "tolerance_change": 1e-3},
}  # fmt: skip


def job(
    module: Any, loss: Callable[[Any], Any], params: list[Any], options: dict[str, Any]
) -> tuple[Any, Callable[[], Any]]:
    optimizer = module.LBFGS(params, **options)

    def closure() -> Any:
        optimizer.zero_grad()
        value = loss(params)
        value.backward()
        return value

    return optimizer, closure


@pytest.mark.parity
@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("loss", LOSSES)
def test_steps(loss: str, options: str) -> None:
    torch = pytest.importorskip("torch")
    ours = [nn.Parameter(start) for start in STARTS]
    theirs = [torch.nn.Parameter(torch.tensor(start)) for start in STARTS]
    a, mine = job(optim, LOSSES[loss], ours, OPTIONS[options])
    b, other = job(torch.optim, LOSSES[loss], theirs, OPTIONS[options])
    for _ in range(4):
        found, expected = a.step(mine), b.step(other)
        np.testing.assert_allclose(found.item(), expected.item(), rtol=1e-6, atol=1e-9)
        for p, q in zip(ours, theirs, strict=True):
            np.testing.assert_allclose(p.detach().numpy(), q.detach().numpy(), rtol=1e-5, atol=1e-7)
        mine_state, other_state = a.state[ours[0]], b.state[theirs[0]]
        assert mine_state.keys() == other_state.keys()
        for key in ("n_iter", "func_evals"):
            assert mine_state[key] == other_state[key]
        assert len(mine_state["old_dirs"]) == len(other_state["old_dirs"])
    assert a.state_dict()["param_groups"] == b.state_dict()["param_groups"]


def to_torch(value: Any, torch: Any) -> Any:
    if isinstance(value, gc.Tensor):
        return torch.tensor(value.detach().numpy())
    if isinstance(value, list):
        return [to_torch(each, torch) for each in value]
    if isinstance(value, dict):
        return {key: to_torch(each, torch) for key, each in value.items()}
    return value


@pytest.mark.parity
def test_state_goes_to_pytorch_and_back() -> None:
    torch = pytest.importorskip("torch")
    options = {"max_iter": 5, "line_search_fn": "strong_wolfe", "history_size": 4}
    ours = [nn.Parameter(start) for start in STARTS]
    a, mine = job(optim, rosenbrock, ours, options)
    a.step(mine)
    theirs = [torch.nn.Parameter(torch.tensor(p.detach().numpy())) for p in ours]
    b, other = job(torch.optim, rosenbrock, theirs, options)
    b.load_state_dict(to_torch(a.state_dict(), torch))
    again = [nn.Parameter(p.detach().clone()) for p in ours]
    c, last = job(optim, rosenbrock, again, options)
    c.load_state_dict(b.state_dict())
    for _ in range(2):
        a.step(mine)
        b.step(other)
        c.step(last)
    for p, q, r in zip(ours, theirs, again, strict=True):
        np.testing.assert_allclose(p.detach().numpy(), q.detach().numpy(), rtol=1e-5, atol=1e-7)
        np.testing.assert_array_equal(p.detach().numpy(), r.detach().numpy())


def test_state_survives_a_file(tmp_path: Any) -> None:
    ours = [nn.Parameter(start) for start in STARTS]
    a, mine = job(optim, rosenbrock, ours, {"max_iter": 5, "line_search_fn": "strong_wolfe"})
    a.step(mine)
    gc.save(a.state_dict(), tmp_path / "file")
    again = [nn.Parameter(p.detach().clone()) for p in ours]
    c, last = job(optim, rosenbrock, again, {"line_search_fn": "strong_wolfe"})
    c.load_state_dict(gc.load(tmp_path / "file"))
    a.step(mine)
    c.step(last)
    for p, r in zip(ours, again, strict=True):
        np.testing.assert_array_equal(p.detach().numpy(), r.detach().numpy())


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_finds_the_lowest_point(dtype: Any) -> None:
    params = [nn.Parameter(np.array([-1.2, 1.0], dtype)), nn.Parameter(np.ones((2, 2), dtype))]
    optimizer, closure = job(
        optim, rosenbrock, params, {"max_iter": 100, "line_search_fn": "strong_wolfe"}
    )
    for _ in range(3):
        optimizer.step(closure)
    np.testing.assert_allclose(params[0].detach().numpy(), [1, 1], atol=1e-3)
    np.testing.assert_allclose(params[1].detach().numpy(), np.zeros((2, 2)), atol=1e-3)


@pytest.mark.parity
def test_complex_parameters_and_absent_gradients() -> None:
    torch = pytest.importorskip("torch")
    start, other = np.array([1 + 2j, -1 + 0.5j]), np.array([1.0, 2.0])
    ours = [nn.Parameter(start), nn.Parameter(other)]
    theirs = [torch.nn.Parameter(torch.tensor(x)) for x in (start, other)]

    def loss(params: Any) -> Any:
        z = params[0] - (0.5 - 1j)
        return (z * z.conj()).real.sum() + (z.imag**4).sum()

    a, mine = job(optim, loss, ours, {"line_search_fn": "strong_wolfe", "max_iter": 4})
    b, theirs_closure = job(
        torch.optim, loss, theirs, {"line_search_fn": "strong_wolfe", "max_iter": 4}
    )
    a.step(mine)
    b.step(theirs_closure)
    np.testing.assert_allclose(
        ours[0].detach().numpy(), theirs[0].detach().numpy(), rtol=1e-6, atol=1e-9
    )
    assert ours[1].tolist() == [1.0, 2.0]


def test_the_closure_may_be_compiled() -> None:
    params = [nn.Parameter(start) for start in STARTS]
    dynamic = [nn.Parameter(start) for start in STARTS]
    optimizer, closure = job(optim, waves, params, {"line_search_fn": "strong_wolfe"})
    other, plain = job(optim, waves, dynamic, {"line_search_fn": "strong_wolfe"})
    fast = gc.compile(closure)
    for _ in range(2):
        assert optimizer.step(fast).item() == pytest.approx(other.step(plain).item(), rel=1e-6)
    for p, q in zip(params, dynamic, strict=True):
        np.testing.assert_allclose(p.detach().numpy(), q.detach().numpy(), rtol=1e-4, atol=1e-6)


def test_wrong_use_raises() -> None:
    p = nn.Parameter([1.0])
    optimizer = optim.LBFGS([p])
    with pytest.raises(ArgumentError, match="closure"):
        optimizer.step()
    with gc.Graph(), pytest.raises(RecordingError, match="depends on values"):
        optimizer.step(lambda: p.sum())
    with pytest.raises(ArgumentError, match="one group"):
        optimizer.add_param_group({"params": [nn.Parameter([2.0])]})
    for options in ({"lr": -1.0}, {"line_search_fn": "golden"}):
        with pytest.raises(ArgumentError, match="LBFGS"):
            optim.LBFGS([p], **options)


def test_nothing_to_do() -> None:
    p = nn.Parameter([0.0])
    optimizer, closure = job(optim, lambda params: (params[0] ** 2).sum(), [p], {})
    assert optimizer.step(closure).item() == 0
    assert dict(optimizer.state[p]) == {"func_evals": 1, "n_iter": 0}
