"""What a recording refuses because no program could do it."""

from pathlib import Path

import pytest

import graphc as gc
from graphc import nn
from graphc.errors import ArgumentError, RecordingError


def test_a_write_to_one_of_two_loaded_tensors_that_share_memory(tmp_path: Path) -> None:
    table = gc.tensor([1.0, 2.0, 3.0])
    gc.save({"one": table, "other": table}, tmp_path / "both")

    def add(x: gc.Tensor) -> gc.Tensor:
        loaded = gc.load(tmp_path / "both")
        loaded["one"].add_(x)
        other: gc.Tensor = loaded["other"]
        return other

    assert add(gc.ones(3)).tolist() == [2.0, 3.0, 4.0]
    with pytest.raises(RecordingError, match="and has views") as caught:
        gc.compile(add)(gc.ones(3))
    assert "test_refused.py" in str(caught.value)


def test_a_variable_whose_elements_do_not_lie_in_order() -> None:
    weight = gc.ones(2, 3).T.requires_grad_()
    with pytest.raises(RecordingError, match="must be contiguous"):
        gc.trace(lambda x: x @ weight, gc.TensorSpec((4, 3)))
    ordered = nn.Parameter(weight.detach().contiguous())
    graph = gc.trace(lambda x: x @ ordered, gc.TensorSpec((4, 3)))
    assert graph.compile(backend="numpy").run({"x": [[1.0] * 3] * 4}).tolist() == [[3.0, 3.0]] * 4


def test_two_outputs_of_one_name() -> None:
    with gc.Graph() as graph:
        x = gc.placeholder((2,), gc.float32, name="x")
        graph.output(x, "y")
        with pytest.raises(ArgumentError, match="an output called 'y' already"):
            graph.output(x + 1, "y")


def test_a_placeholder_of_negative_size() -> None:
    with gc.Graph(), pytest.raises(ArgumentError, match="a size is negative"):
        gc.placeholder((-1,), gc.float32)
