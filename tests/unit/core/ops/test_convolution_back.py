"""The transpose of a convolution: classes of places, and sizes that are not known."""

import itertools
from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc.ops.convolution import conv, conv_back

Array = np.ndarray[Any, Any]


def scattered(
    g: Array, w: Array, stride: Any, dilation: Any, groups: int, starts: Any, sizes: Any
) -> Array:
    """Each element of ``g`` adds its window, element by element."""
    made, channels = len(w) // groups, w.shape[1]
    result = np.zeros((len(g), groups * channels, *sizes))
    for out, *at in itertools.product(range(len(w)), *map(range, g.shape[2:])):
        for channel, *k in itertools.product(*map(range, w.shape[1:])):
            place = [
                a * step + b * gap - start
                for a, step, b, gap, start in zip(at, stride, k, dilation, starts, strict=True)
            ]
            if all(0 <= p < size for p, size in zip(place, sizes, strict=True)):
                source = g[(slice(None), out, *at)] * w[(out, channel, *k)]
                result[(slice(None), out // made * channels + channel, *place)] += source
    return result


@pytest.mark.parametrize("seed", range(40))
def test_against_scattered_windows(seed: int) -> None:
    random = np.random.default_rng(seed)
    dims = int(random.integers(1, 3))

    def ints(low: int, high: int) -> tuple[int, ...]:
        return tuple(int(each) for each in random.integers(low, high, dims))

    groups, (made, channels) = int(random.integers(1, 3)), random.integers(1, 3, 2)
    stride, dilation, starts = ints(1, 5), ints(1, 5), ints(0, 4)
    kernel, places, sizes = ints(1, 5), ints(1, 5), ints(1, 18)
    g = random.normal(size=(2, groups * int(made), *places))
    w = random.normal(size=(groups * int(made), int(channels), *kernel))
    got = conv_back(
        gc.tensor(g), gc.tensor(w), stride=stride, dilation=dilation, groups=groups,
        starts=starts, sizes=sizes,
    ).numpy()  # fmt: skip
    expected = scattered(g, w, stride, dilation, groups, starts, sizes)
    assert got.shape == expected.shape
    np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-12)


def test_zeros_between_elements_do_not_count() -> None:
    """An infinite weight spoils only the places that meet it."""
    x = gc.tensor(np.ones((1, 1, 7)), requires_grad=True)
    w = gc.tensor(np.array([[[1.0, np.inf, 2.0]]]))
    made = conv(x, w, stride=(2,), dilation=(1,), groups=1)
    (gradient,) = gc.grad(made.sum(), x)
    assert gradient.tolist() == [[[1, np.inf, 3, np.inf, 3, np.inf, 2]]]


@pytest.mark.parametrize("stride", [1, 2, 3])
def test_sizes_that_are_not_known(stride: int) -> None:
    random = np.random.default_rng(0)
    w = random.normal(size=(4, 2, 3, 2)).astype(np.float32)

    def gradients(x: Any, weight: Any) -> tuple[Any, ...]:
        padded = gc.nn.functional.conv2d(x, weight, stride=stride, padding=1)
        return gc.grad((padded * padded).sum(), (x, weight))

    with gc.Graph() as graph:
        x = gc.placeholder((None, 2, None, None), name="x", requires_grad=True)
        weight = gc.placeholder(w.shape, name="w", requires_grad=True)
        outputs = dict(zip("ab", gradients(x, weight), strict=True))
    session = graph.compile(outputs=outputs)
    for height, width in ((5, 6), (6, 9), (7, 7)):
        values = random.normal(size=(3, 2, height, width)).astype(np.float32)
        got = session.run({"x": values, "w": w})
        known = [gc.tensor(each, requires_grad=True) for each in (values, w)]
        for one, other in zip(got.values(), gradients(*known), strict=True):
            np.testing.assert_allclose(one, other.numpy(), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("size", [9, 10, 11, 12])
@pytest.mark.parametrize("groups", [1, 2])
def test_gradients_of_weights_have_no_other_elements(size: int, groups: int) -> None:
    """Where a stride leaves out the end of the input, no window is computed to be cut off."""
    with gc.Graph() as graph:
        x = gc.placeholder((None, 4, size, size), gc.float32, name="x")
        w = gc.zeros(6, 4 // groups, 3, 3, requires_grad=True)
        made = gc.nn.functional.conv2d(x, w, stride=3, padding=1, groups=groups)
        graph.output(gc.grad(made.sum(), [w])[0], "gradient")
    shapes = [node.type.shape for node in graph.lower(to="fuse").nodes if node.op is conv]
    assert shapes == [(4 // groups, 6, 3, 3)]
