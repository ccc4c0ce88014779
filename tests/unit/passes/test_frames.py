"""Values that are padded and read elsewhere, too, are written once, where the padded value is."""

import numpy as np
import pytest

import graphc as gc
import graphc.nn.functional as F
from graphc.ops.convolution import conv
from graphc.ops.fused import FUSED
from graphc.ops.shape import pad, slice_
from graphc.passes.frames import ReadInFrames

Array = np.ndarray


def residual(width: int) -> gc.Graph:
    """A block of a residual network: its input is padded, and added at the end."""
    with gc.Graph() as graph:
        x = gc.placeholder((2, 3, 5, width), gc.float32, name="x")
        w = gc.placeholder((3, 3, 3, 3), gc.float32, name="w")
        start = F.relu(x * 2)
        graph.output(F.relu(F.conv2d(start, w, padding=1) + start), "y")
    return graph


def expected(x: Array, w: Array) -> Array:
    start = np.maximum(x.astype(np.float64) * 2, 0)
    framed = np.pad(start, ((0, 0), (0, 0), (1, 1), (1, 1)))
    windows = np.lib.stride_tricks.sliding_window_view(framed, (3, 3), (2, 3))
    return np.maximum(np.einsum("nchwij,ocij->nohw", windows, w) + start, 0)


def test_others_read_a_view_of_the_frame() -> None:
    nodes = residual(16).lower().nodes
    (frame,) = [node for node in nodes if node.op is pad]
    (last,) = [node for node in nodes if node.op is FUSED and conv in {i.op for i in node.inputs}]
    views = [each for each in last.inputs if each.op is slice_]
    assert [view.inputs for view in views] == [(frame,)]
    assert sum(frame.inputs[0] in node.inputs for node in nodes) == 1


@pytest.mark.parametrize("width", [3, 8, 16, 33])
@pytest.mark.parametrize("backend", ["numpy", "llvm"])
def test_results(width: int, backend: str, rng: np.random.Generator) -> None:
    graph = residual(width)
    x = rng.normal(size=(2, 3, 5, width)).astype(np.float32)
    w = rng.normal(size=(3, 3, 3, 3)).astype(np.float32)
    got = graph.compile(backend=backend).run({"x": x, "w": w})["y"]
    np.testing.assert_allclose(got, expected(x, w), rtol=1e-5, atol=1e-5)


def test_nothing_is_copied_into_the_frame() -> None:
    """The zeros around the value are all that is written besides the kernels' results."""
    with residual(16).compile() as session:
        feed = {"x": np.ones((2, 3, 5, 16), np.float32), "w": np.ones((3, 3, 3, 3), np.float32)}
        session.run(feed)
        copies = [step.what for step in session.profile(feed).steps if step.what[:4] == "copy"]
    assert copies
    assert not [what for what in copies if "[2,3,5,16]" in what]


@pytest.mark.parametrize("reader", ["root", "reshape", "short row", "only one"])
def test_other_values_stay_where_they_are(reader: str) -> None:
    with gc.Graph() as graph:
        x = gc.placeholder((2, 3, 4, 3 if reader == "short row" else 16), gc.float32, name="x")
        start = F.relu(x)
        graph.output(F.conv2d(start, gc.ones(1, 3, 3, 3), padding=1), "y")
        if reader == "root":
            graph.output(start, "start")
        elif reader == "reshape":
            graph.output(start.reshape(6, -1) @ gc.ones(64, 2), "product")
        elif reader == "short row":
            graph.output(start.cos(), "cosine")
    before = graph.lower(to="fuse")
    assert ReadInFrames().run(before) is before
