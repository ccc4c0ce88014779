"""How tensors print, and PyTorch's settings and questions about the machine."""

from collections.abc import Iterator
from typing import Any

import pytest

import graphc as gc
from graphc.config import NUM_THREADS
from graphc.errors import ArgumentError
from tests.torch_oracle import torch

VALUES: list[Any] = [
    [[1.123456789, 2e-3], [1000.5, 3]], [1e-8, 1.0], [1, 20], [0.5, 0.25], [1.0, 2.0],
    [float("nan"), float("inf"), 1.5], list(range(30)), [x / 7 for x in range(30)],
]  # fmt: skip


@pytest.fixture(autouse=True)
def _defaults() -> Iterator[None]:
    yield
    gc.set_printoptions(profile="default")
    gc.set_default_dtype(gc.float32)


@pytest.mark.parity
@pytest.mark.parametrize(
    "options",
    [
        {"precision": 2}, {"sci_mode": True}, {"sci_mode": False}, {"linewidth": 120},
        {"threshold": 5, "edgeitems": 2}, {"profile": "full"}, {"profile": "short"},
        {"profile": "short", "precision": 7}, {"threshold": 5, "linewidth": 100},
    ],
)  # fmt: skip
def test_printing(options: dict[str, Any]) -> None:
    for m in (gc, torch()):
        m.set_printoptions(profile="default")
        m.set_printoptions(**options)
    try:
        for values in VALUES:
            assert repr(gc.tensor(values)) == repr(torch().tensor(values))
    finally:
        torch().set_printoptions(profile="default")


def test_the_default_dtype_prints_no_name() -> None:
    assert "dtype" in repr(gc.ones(2, dtype=gc.float64))
    gc.set_default_dtype(gc.float64)
    assert repr(gc.ones(2)) == "tensor([1., 1.])"
    assert "float32" in repr(gc.ones(2, dtype=gc.float32))


def test_unknown_profile() -> None:
    with pytest.raises(ArgumentError, match=r"test_settings\.py"):
        gc.set_printoptions(profile="long")


def test_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"GRAPHC_{NUM_THREADS.name}", "2")
    assert gc.get_num_threads() == 2
    gc.set_num_threads(3)
    assert gc.get_num_threads() == 3
    with gc.Graph() as graph:
        graph.output(gc.placeholder((4,), name="x") * 2, "y")
    assert graph.compile().run({"x": [1.0, 2, 3, 4]})["y"].tolist() == [2, 4, 6, 8]
    with pytest.raises(ArgumentError, match="set_num_threads"):
        gc.set_num_threads(0)


def test_what_is_always_so() -> None:
    gc.use_deterministic_algorithms(True, warn_only=True)
    assert gc.are_deterministic_algorithms_enabled()
    gc.set_float32_matmul_precision("high")
    assert gc.get_float32_matmul_precision() == "high"
    gc.set_float32_matmul_precision("highest")
    with pytest.raises(ArgumentError, match=r"test_settings\.py"):
        gc.set_float32_matmul_precision("low")
    gc.set_default_device("cpu")
    assert gc.get_default_device() == gc.device("cuda" if gc.cuda.is_available() else "cpu")
    assert gc.cuda.device_count() == 0
    with pytest.raises(ArgumentError, match="no such device"):
        gc.set_default_device("cuda")
    assert isinstance(gc.float32, gc.dtype)
