"""Generated convolutions: all ways, shapes, attributes, layouts and processors."""

from typing import Any

import numpy as np
import pytest

from graphc.dtypes import float16
from graphc.errors import CompileError
from graphc.runtime.llvm.compiler.target import host_target
from graphc.runtime.llvm.convolution.build import build_convolution
from graphc.runtime.llvm.ir.module import Module
from graphc.runtime.llvm.kernels.iteration import Layout
from tests.unit.runtime.llvm.convolution.convolutions import (
    Case,
    Convolution,
    convolve,
    expected,
    operands,
    require_close,
)
from tests.unit.runtime.llvm.harness import targets

CASES = {
    "one number": Case((1, 1, 1), (1, 1, 1), (1,), (1,)),
    "a row": Case((2, 3, 50), (5, 3, 4), (1,), (1,)),
    "a row with steps": Case((3, 2, 53), (17, 2, 3), (3,), (4,)),
    "digits": Case((3, 1, 32, 32), (6, 1, 5, 5), (1, 1), (1, 1)),
    "narrow": Case((5, 6, 14, 14), (16, 6, 5, 5), (1, 1), (1, 1)),
    "steps": Case((3, 8, 17, 19), (33, 8, 3, 3), (2, 2), (1, 1)),
    "gaps": Case((2, 4, 15, 13), (20, 4, 3, 2), (1, 2), (2, 3)),
    "groups": Case((2, 12, 9, 8), (18, 4, 3, 3), (1, 1), (1, 1), 3),
    "depthwise": Case((2, 7, 10, 40), (7, 1, 3, 3), (1, 1), (1, 1), 7),
    "depthwise, more results": Case((2, 5, 9, 9), (10, 1, 3, 3), (2, 2), (1, 1), 5),
    "1 x 1": Case((3, 20, 6, 7), (40, 20, 1, 1), (1, 1), (1, 1)),
    "1 x 1 with steps": Case((3, 5, 9, 9), (12, 5, 1, 1), (2, 2), (1, 1)),
    "as large as the image": Case((7, 5, 4, 6), (19, 5, 4, 6), (1, 1), (1, 1)),
    "a volume": Case((2, 3, 6, 7, 8), (4, 3, 2, 3, 3), (1, 2, 1), (2, 1, 1)),
    "a weight's gradient": Case((6, 20, 14, 13), (16, 20, 10, 9), (1, 1), (1, 1)),
    "a weight's gradient with gaps": Case((4, 9, 12, 12), (35, 9, 5, 5), (1, 1), (2, 2)),
}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", CASES)
def test_against_sums_of_products(name: str, dtype: Any) -> None:
    case = CASES[name]
    x, w = operands(case, dtype)
    for number, target in enumerate(targets().values()):
        for way in ("places", "channels", "chunks"):
            if way == "places" and case.result[2:].count(1) == len(case.result) - 2:
                continue  # no place for a vector
            got = convolve(case, x, w, target, way, at_start=number % 2 == 0)
            require_close(got, case, x, w)


@pytest.mark.parametrize("seed", range(25))
def test_random_shapes(seed: int) -> None:
    random = np.random.default_rng(seed)
    dims = int(random.integers(1, 4))
    groups = int(random.choice([1, 1, 2, 3]))
    kernel, stride, dilation = (
        tuple(int(each) for each in random.integers(1, 4, dims)) for _ in range(3)
    )
    extra = random.integers(0, 12, dims)
    sizes = [
        (k - 1) * gap + 1 + int(more) for k, gap, more in zip(kernel, dilation, extra, strict=True)
    ]
    channels, made = (int(each) for each in random.integers(1, 20, 2))
    case = Case(
        (int(random.integers(1, 5)), groups * channels, *sizes),
        (groups * made, channels, *kernel), stride, dilation, groups,
    )  # fmt: skip
    x, w = operands(case, np.float32, seed)
    require_close(convolve(case, x, w, cuts=(0.4,), at_start=bool(seed % 2)), case, x, w)


@pytest.mark.parametrize("way", ["places", "channels", "chunks"])
def test_operands_that_lie_anyhow(way: str) -> None:
    case = Case((3, 6, 11, 21), (18, 6, 3, 3), (1, 1), (1, 1))
    random = np.random.default_rng(0)
    x = random.normal(size=(6, 3, 22, 42)).astype(np.float32).transpose(1, 0, 2, 3)[:, :, ::2, ::-2]
    w = random.normal(size=(6, 18, 3, 3)).astype(np.float32).swapaxes(0, 1)[:, :, ::-1, ::-1]
    room = np.empty((3, 9, 18, 2 * 19), np.float32).transpose(0, 2, 1, 3)
    for like in (room[..., ::2], room[..., :19], room[..., 18::-1]):
        require_close(convolve(case, x, w, None, way, like=like), case, x, w)


def test_an_input_that_is_repeated() -> None:
    case = Case((3, 4, 8, 9), (5, 4, 3, 3), (1, 1), (1, 1))
    x, w = operands(case, np.float32)
    for part in (x[:1], x[:, :1], x[..., :1], x[..., :1, :]):
        repeated = np.broadcast_to(part, case.x)
        for way in ("places", "channels"):
            require_close(convolve(case, repeated, w, None, way), case, repeated, w)


@pytest.mark.parametrize("way", ["places", "channels", "chunks"])
def test_any_division_of_the_work_gives_the_same_bits(way: str) -> None:
    case = Case((6, 8, 13, 14), (19, 8, 3, 3), (1, 1), (1, 1))
    x, w = operands(case, np.float32)
    whole = convolve(case, x, w, None, way)
    for cuts in ((0.5,), (0.3, 0.7), tuple(number / 40 for number in range(1, 40))):
        assert convolve(case, x, w, None, way, cuts=cuts).tobytes() == whole.tobytes()


def test_what_is_not_in_a_window_does_not_count() -> None:
    """No element is multiplied by a zero of the code's own."""
    case = Case((2, 3, 9, 20), (5, 3, 3, 3), (2, 2), (1, 1))
    x, w = operands(case, np.float32)
    clean = convolve(case, x, w)
    x[:, :, 0, 3] = np.inf
    x[1, :, 8, 16] = np.nan
    for way in ("places", "channels", "chunks"):
        got = convolve(case, x, w, None, way)
        touched = np.zeros(got.shape, bool)
        touched[:, :, 0, 1] = touched[1, :, 3, 7:9] = True
        assert not np.isfinite(got[touched]).any()
        assert np.allclose(got[~touched], clean[~touched], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("case", "way"),
    [
        (Case((64, 1, 32, 32), (6, 1, 5, 5), (1, 1), (1, 1)), "places"),
        (Case((64, 6, 14, 14), (16, 6, 5, 5), (1, 1), (1, 1)), "channels"),
        (Case((64, 16, 34, 34), (32, 16, 3, 3), (2, 2), (1, 1)), "channels"),
        (Case((16, 64, 34, 34), (16, 64, 32, 32), (1, 1), (1, 1)), "chunks"),
        (Case((8, 64, 34, 34), (64, 1, 3, 3), (1, 1), (1, 1), 64), "places"),
    ],
)
def test_the_way_that_is_chosen(case: Case, way: str) -> None:
    x, w = operands(case, np.float32)
    made = Convolution(case, x, w, np.empty(case.result, np.float32))
    assert made.blocking.way == way
    assert max(phase.units for phase in made.native.phases) > 1


def test_a_long_sum_has_pieces_and_chunks() -> None:
    case = Case((4, 64, 20, 20), (40, 64, 18, 18), (1, 1), (1, 1))
    x, w = operands(case, np.float32)
    require_close(convolve(case, x, w, cuts=(0.2, 0.6)), case, x, w)


def test_an_input_without_channels_gives_zeros() -> None:
    case = Case((2, 0, 5, 6), (3, 0, 2, 2), (1, 1), (1, 1))
    x, w = operands(case, np.float32)
    assert np.array_equal(convolve(case, x, w), np.zeros(case.result, np.float32))


def test_other_dtypes_are_refused() -> None:
    layout = Layout.contiguous((1, 1, 3), float16)
    with pytest.raises(CompileError, match="float16"):
        build_convolution(
            Module(host_target()), layout, layout, layout, stride=(1,), dilation=(1,), groups=1
        )


LONG = {
    "many channels": Case((1, 1024, 5, 9), (18, 1024, 3, 3), (1, 1), (1, 1)),
    "few large windows": Case((2, 20, 26, 40), (5, 20, 20, 20), (1, 1), (1, 1)),
}


@pytest.mark.parametrize("way", ["places", "channels", "chunks"])
@pytest.mark.parametrize("name", LONG)
def test_errors_of_long_sums_do_not_grow_with_their_length(name: str, way: str) -> None:
    """Terms of one sign: one chain of additions would be off by 1e-6 and more."""
    case, random = LONG[name], np.random.default_rng(0)
    x, w = (random.uniform(size=shape).astype(np.float32) for shape in (case.x, case.w))
    for target in targets().values():
        got = convolve(case, x, w, target, way)
        assert np.sqrt(np.mean((got / expected(case, x, w) - 1) ** 2)) < 3.5e-7
