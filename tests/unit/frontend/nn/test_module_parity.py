"""Every module against PyTorch's: outputs, gradients, buffers, state and text, in both modes."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc import nn
from tests.module_samples import SAMPLES, Sample

torch = pytest.importorskip("torch")

pytestmark = [
    pytest.mark.parity,
    pytest.mark.filterwarnings("ignore:enable_nested_tensor"),
    pytest.mark.filterwarnings("ignore:.*padding='same' with even kernel"),
    pytest.mark.filterwarnings("ignore:reduction. 'mean' divides"),
]

TOLERANCE = {"float64": 1e-10, "float32": 3e-5}
LOOSE = {"CTCLoss": 10, "Hardsigmoid": 1000}
"""PyTorch's gradient of hardsigmoid is a float32 number."""


def of(dtype: str) -> Callable[[Any], Any]:
    return lambda x: np.array(x, dtype) if np.asarray(x).dtype.kind == "f" else np.array(x)


def theirs_of(array: Any, *, grads: bool = True) -> Any:
    made = torch.tensor(array)
    return made.requires_grad_() if grads and made.is_floating_point() else made


def ours_of(array: Any) -> gc.Tensor:
    made = gc.tensor(array)
    return made.requires_grad_() if made.dtype.is_floating_point else made


def close(actual: Any, expected: Any, tolerance: float, what: str) -> None:
    if expected is None:
        assert actual is None or not np.any(actual.numpy()), what
        return
    theirs = expected.detach().numpy()
    ours = np.zeros_like(theirs) if actual is None else actual.detach().numpy()
    assert ours.dtype == theirs.dtype, what
    assert ours.shape == theirs.shape, what
    scale = max(1.0, float(np.abs(theirs).max(initial=0.0))) if theirs.dtype.kind == "f" else 1.0
    np.testing.assert_allclose(
        ours, theirs, rtol=10 * tolerance, atol=tolerance * scale, err_msg=what
    )


def outputs(result: Any) -> list[Any]:
    if isinstance(result, tuple | list):
        return [x for part in result for x in outputs(part)]
    return [] if result is None else [result]


def load_the_same(ours: Any, theirs: Any, rng: np.random.Generator) -> None:
    state = {
        key: torch.tensor(np.abs(rng.normal(size=value.shape)) * 0.3).to(value.dtype)
        if key.endswith("running_var")
        else torch.tensor(rng.normal(size=value.shape)).to(value.dtype)
        for key, value in theirs.state_dict().items()
        if value.is_floating_point()
    }
    keep = {key: value for key, value in theirs.state_dict().items() if key not in state}
    theirs.load_state_dict({**state, **keep})
    ours.load_state_dict(theirs.state_dict())


def forward(sample: Sample, module: Any, leaves: list[Any]) -> list[Any]:
    passed = [x * 1 for x in leaves] if getattr(module, "inplace", False) else list(leaves)
    if sample.normalized:
        passed[0] = passed[0].log_softmax(-1)
    return outputs(module(*passed, **sample.options))


def check(sample: Sample, dtype: str, compiled: bool) -> None:
    rng = np.random.default_rng(5)
    cast = of(dtype)
    ours = sample.make(nn, lambda x: gc.tensor(cast(x)))
    theirs = sample.make(torch.nn, lambda x: torch.tensor(cast(x)))
    assert repr(ours) == repr(theirs)
    ours, theirs = ours.to(dtype), theirs.to(getattr(torch, dtype))
    if list(theirs.parameters()):
        load_the_same(ours, theirs, rng)

    def step(leaves: list[Any], starts: list[Any]) -> list[Any]:
        made = forward(sample, ours, leaves)
        ends = [x for x in made if x.requires_grad]
        if ends:
            sum((x * g).sum() for x, g in zip(ends, starts, strict=True)).backward()
        return made

    run = gc.compile(step) if compiled else step
    tolerance = TOLERANCE[dtype] * LOOSE.get(sample.name, 1)
    for training in (True, False) if compiled else (True, True, False):
        for module in (ours, theirs):
            module.train(training)
            module.zero_grad()
        arrays = [cast(x) for x in sample.inputs(rng)]
        mine, other = [ours_of(x) for x in arrays], [theirs_of(x) for x in arrays]
        expected = forward(sample, theirs, other)
        ends = [x for x in expected if x.requires_grad]
        starts = [cast(rng.normal(size=x.shape)) for x in ends]
        got = run(mine, [gc.tensor(start) for start in starts])
        assert len(got) == len(expected)
        for number, (a, b) in enumerate(zip(got, expected, strict=True)):
            close(a, b, tolerance, f"output {number}, training={training}")
        if ends:
            torch.autograd.backward(ends, [torch.tensor(start) for start in starts])
        for number, (a, b) in enumerate(zip(mine, other, strict=True)):
            close(a.grad, b.grad, tolerance, f"gradient {number}, training={training}")
        named = dict(theirs.named_parameters())
        assert [path for path, _ in ours.named_parameters()] == list(named)
        for path, parameter in ours.named_parameters():
            close(parameter.grad, named[path].grad, tolerance, f"gradient of {path}")
    state = theirs.state_dict()
    assert list(ours.state_dict()) == list(state)
    for key, value in ours.state_dict().items():
        close(value, state[key], tolerance, key)


NAMES = [f"{sample.name}-{number}" for number, sample in enumerate(SAMPLES)]


@pytest.mark.parametrize("sample", SAMPLES, ids=NAMES)
def test_dynamic(sample: Sample) -> None:
    check(sample, "float64", compiled=False)


@pytest.mark.parametrize("sample", SAMPLES, ids=NAMES)
def test_compiled(sample: Sample) -> None:
    check(sample, "float32", compiled=True)
