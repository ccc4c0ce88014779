"""The vector functions against mpmath, in units in the last place, at every width."""

import functools
import timeit
from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest
from mpmath import mp

from graphc.runtime.llvm.compiler import native
from graphc.runtime.llvm.compiler.engine import Library
from graphc.runtime.llvm.compiler.target import Target
from graphc.runtime.llvm.math.table import BINARY, ULP_BOUNDS, UNARY
from tests.unit.runtime.llvm.harness import (
    ELEM,
    Loop,
    compile_loops,
    compile_loops_to_object,
    run,
    targets,
)

Array = np.ndarray[Any, Any]

ORACLES: dict[str, Callable[[Any], Any]] = {
    "exp": mp.exp,
    "expm1": mp.expm1,
    "sigmoid": lambda x: 1 / (1 + mp.exp(-x)),
    "tanh": mp.tanh,
    "log": mp.log,
    "log1p": mp.log1p,
    "sin": mp.sin,
    "cos": mp.cos,
    "tan": mp.tan,
    "erf": mp.erf,
    "rsqrt": lambda x: 1 / mp.sqrt(x),
    "exp2": lambda x: mp.power(2, x),
    "log2": lambda x: mp.log(x) / mp.ln2,
    "log10": mp.log10,
    "asin": mp.asin,
    "acos": mp.acos,
    "atan": mp.atan,
    "erfc": lambda x: mp.erfc(x) if abs(x) < 100 else mp.mpf(1 - mp.sign(x)),
    "sinh": mp.sinh,
    "cosh": mp.cosh,
    "asinh": mp.asinh,
    "acosh": mp.acosh,
    "atanh": mp.atanh,
}

DTYPES = [np.float32, np.float64]

# Values of each function where a rule, not the polynomial, decides: argument, result.
INF, NAN = float("inf"), float("nan")
EXACT = {
    "exp": [(0.0, 1.0), (-0.0, 1.0), (INF, INF), (-INF, 0.0), (1e30, INF), (-1e30, 0.0)],
    "expm1": [(0.0, 0.0), (-0.0, -0.0), (INF, INF), (-INF, -1.0), (1e30, INF), (-1e30, -1.0)],
    "sigmoid": [(0.0, 0.5), (-0.0, 0.5), (INF, 1.0), (-INF, 0.0), (1e30, 1.0), (-1e30, 0.0)],
    "tanh": [(0.0, 0.0), (-0.0, -0.0), (INF, 1.0), (-INF, -1.0), (1e30, 1.0), (-1e30, -1.0)],
    "log": [(0.0, -INF), (-0.0, -INF), (INF, INF), (-INF, NAN), (-1.0, NAN), (1.0, 0.0)],
    "log1p": [(0.0, 0.0), (-0.0, -0.0), (INF, INF), (-INF, NAN), (-1.0, -INF), (-1.5, NAN)],
    "sin": [(0.0, 0.0), (-0.0, -0.0), (INF, NAN), (-INF, NAN)],
    "cos": [(0.0, 1.0), (-0.0, 1.0), (INF, NAN), (-INF, NAN)],
    "tan": [(0.0, 0.0), (-0.0, -0.0), (INF, NAN), (-INF, NAN)],
    "erf": [(0.0, 0.0), (-0.0, -0.0), (INF, 1.0), (-INF, -1.0), (30.0, 1.0), (-30.0, -1.0)],
    "exp2": [(0.0, 1.0), (-0.0, 1.0), (INF, INF), (-INF, 0.0), (10.0, 1024.0), (-1e30, 0.0)],
    "log2": [(0.0, -INF), (-0.0, -INF), (INF, INF), (-1.0, NAN), (1.0, 0.0), (1024.0, 10.0)],
    "log10": [(0.0, -INF), (-0.0, -INF), (INF, INF), (-1.0, NAN), (1.0, 0.0), (1000.0, 3.0)],
    "asin": [(0.0, 0.0), (-0.0, -0.0), (INF, NAN), (-INF, NAN), (1.5, NAN)],
    "acos": [(1.0, 0.0), (INF, NAN), (-INF, NAN), (-1.5, NAN)],
    "atan": [(0.0, 0.0), (-0.0, -0.0)],
    "erfc": [(0.0, 1.0), (-0.0, 1.0), (INF, 0.0), (-INF, 2.0), (1e30, 0.0), (-1e30, 2.0)],
    "sinh": [(0.0, 0.0), (-0.0, -0.0), (INF, INF), (-INF, -INF), (1e30, INF), (-1e30, -INF)],
    "cosh": [(0.0, 1.0), (-0.0, 1.0), (INF, INF), (-INF, INF), (1e30, INF), (-1e30, INF)],
    "asinh": [(0.0, 0.0), (-0.0, -0.0), (INF, INF), (-INF, -INF)],
    "acosh": [(1.0, 0.0), (INF, INF), (-INF, NAN), (0.5, NAN), (-2.0, NAN), (0.0, NAN)],
    "atanh": [(0.0, 0.0), (-0.0, -0.0), (1.0, INF), (-1.0, -INF), (INF, NAN), (1.5, NAN)],
    "rsqrt": [(0.0, INF), (-0.0, -INF), (INF, 0.0), (-INF, NAN), (-1.0, NAN), (4.0, 0.5)],
}

POWERS = [-INF, -3.5, -3.0, -2.0, -1.0, -0.5, -0.0, 0.0, 0.5, 1.0, 2.0, 3.0, 2.0**30, INF, NAN]


def all_loops(lanes_of: Callable[[str], list[int]]) -> list[Loop]:
    return [
        Loop(name, function, elem, lanes, arity)
        for table, arity in ((UNARY, 1), (BINARY, 2))
        for name, function in table.items()
        for elem in ELEM.values()
        for lanes in lanes_of(elem)
    ]


def widths(target: str, elem: str) -> list[int]:
    """One lane, and the vectors of 128 bits up to the target's width."""
    bits = 32 if elem == "float" else 64
    largest = targets()[target].vector_bits
    return [1, *(size // bits for size in (128, 256, 512) if size <= largest)]


@functools.cache
def library(target: str) -> Library:
    loops = all_loops(lambda elem: widths(target, elem))
    return compile_loops(loops, targets()[target])


@functools.cache
def samples(name: str, dtype: Any) -> Array:
    """Arguments over all magnitudes, around the thresholds of the algorithms, and on both sides."""
    generator = np.random.default_rng(sum(name.encode()))
    info = np.finfo(dtype)
    small = np.exp2(generator.uniform(-40, 8, 1500))
    whole = np.exp2(generator.uniform(info.minexp - info.nmant, info.maxexp, 1500))
    limit = -1.05 * np.log(float(info.smallest_subnormal))
    exponents = generator.uniform(0, limit, 1500)
    near_one = 1 + generator.uniform(-0.6, 0.6, 1500)
    multiples = np.arange(1, 400) * (np.pi / 4)
    steps = [
        0.625,
        1.0,
        3.92,
        3.93,
        10.0,
        18.0,
        22.0,
        38.0,
        88.72284,
        103.97208,
        709.782712,
        745.13,
    ]
    steps += [np.sqrt(0.5), np.sqrt(2), 2.0**30, 2.0**-25, 2.0**-54, float(info.tiny)]
    with np.errstate(over="ignore"):
        centers = np.array(steps, dtype)
        edges = [np.nextafter(centers, dtype(s)) for s in (-INF, INF)]
        parts = [small, whole, exponents, near_one, multiples, centers, *edges]
        positive = np.concatenate([np.asarray(part, dtype) for part in parts])
    positive = positive[np.isfinite(positive)]
    return np.concatenate([positive, -positive])


@functools.cache
def truth(name: str, dtype: Any) -> tuple[Array, Array, Array]:
    """The nearest float64 to each result, what it lacks in last places, and the last place."""
    with mp.workprec(160):
        exact = [ORACLES[name](mpmath.mpf(float(x))) for x in samples(name, dtype)]
        high = np.array([_nearest(value) for value in exact])
        with np.errstate(over="ignore"):
            rounded = high.astype(dtype)
        sizes = np.spacing(np.abs(np.where(np.isfinite(rounded), rounded, 1))).astype(np.float64)
        low = [
            float((value - mpmath.mpf(top)) / mpmath.mpf(size)) if np.isfinite(top) else 0.0
            for value, top, size in zip(exact, high, sizes, strict=True)
        ]
    return high, np.array(low), sizes


def _nearest(value: Any) -> float:
    return NAN if isinstance(value, mpmath.mpc) else float(value)


def ulp_error(got: Array, name: str, dtype: Any) -> Array:
    """Error of each element in last places; infinite where one is NaN or infinite and not both."""
    high, low, spacing = truth(name, dtype)
    with np.errstate(over="ignore", invalid="ignore"):
        rounded = high.astype(dtype)
        same = (got == rounded) | (np.isnan(got) & np.isnan(rounded))
        error = np.abs((got.astype(np.float64) - high) / spacing - low)
    ordinary = np.isfinite(got) & np.isfinite(rounded)
    return np.where(ordinary, error, np.where(same, 0.0, INF))


@pytest.mark.parametrize("target", targets())
@pytest.mark.parametrize("dtype", DTYPES, ids=lambda dtype: dtype.__name__)
@pytest.mark.parametrize("name", ORACLES)
def test_error_in_last_places(name: str, dtype: Any, target: str) -> None:
    arguments = samples(name, dtype)
    elem = ELEM[np.dtype(dtype)]
    bound = ULP_BOUNDS[name][DTYPES.index(dtype)]
    for lanes in widths(target, elem):
        got = run(library(target), Loop(name, UNARY[name], elem, lanes, 1), arguments)
        error = ulp_error(got, name, dtype)
        worst = int(np.argmax(error))
        report = f"{error[worst]} ulp at {arguments[worst]!r}: {got[worst]!r}, {lanes} lanes"
        assert error[worst] <= bound, report


@pytest.mark.parametrize("target", targets())
@pytest.mark.parametrize("dtype", DTYPES, ids=lambda dtype: dtype.__name__)
@pytest.mark.parametrize("name", EXACT)
def test_special_values(name: str, dtype: Any, target: str) -> None:
    argument, expected = (np.array(column, dtype) for column in zip(*EXACT[name], strict=True))
    elem = ELEM[np.dtype(dtype)]
    for lanes in widths(target, elem):
        got = run(library(target), Loop(name, UNARY[name], elem, lanes, 1), argument)
        np.testing.assert_array_equal(got, expected)
        known = ~np.isnan(expected)
        np.testing.assert_array_equal(np.signbit(got)[known], np.signbit(expected)[known])
        nothing = np.full(lanes, np.nan, dtype)
        assert np.isnan(
            run(library(target), Loop(name, UNARY[name], elem, lanes, 1), nothing)
        ).all()


@pytest.mark.parametrize("dtype", DTYPES, ids=lambda dtype: dtype.__name__)
@pytest.mark.parametrize("name", ["exp", "sigmoid"])
def test_what_vanishes_takes_no_longer(name: str, dtype: Any) -> None:
    lanes = max(widths("host", ELEM[np.dtype(dtype)]))
    loop = Loop(name, UNARY[name], ELEM[np.dtype(dtype)], lanes, 1)
    code, size = library("host"), 20_000

    def fastest(value: float) -> float:
        arguments = np.full(size, value, dtype)
        return min(timeit.repeat(lambda: run(code, loop, arguments), number=3, repeat=15))

    ordinary = fastest(-1.0)
    for value in (-1000.0, -np.inf):
        assert fastest(value) < 5 * ordinary, "20 times, where each vector underflows"


@pytest.mark.parametrize("dtype", DTYPES, ids=lambda dtype: dtype.__name__)
@pytest.mark.parametrize("name", [*UNARY, *BINARY])
def test_a_result_does_not_depend_on_the_width(name: str, dtype: Any) -> None:
    arguments = samples("exp", dtype)
    operands = [arguments, np.roll(arguments, 7)][: 1 if name in UNARY else 2]
    function = UNARY.get(name) or BINARY[name]
    elem = ELEM[np.dtype(dtype)]
    results = [
        run(library("host"), Loop(name, function, elem, lanes, len(operands)), *operands)
        for lanes in widths("host", elem)
    ]
    for other in results[1:]:
        np.testing.assert_array_equal(other, results[0])


@pytest.mark.parametrize("target", targets())
@pytest.mark.parametrize("dtype", DTYPES, ids=lambda dtype: dtype.__name__)
def test_power(dtype: Any, target: str) -> None:
    generator = np.random.default_rng(5)
    base = np.exp2(generator.uniform(-15, 15, 3000)).astype(dtype)
    exponent = generator.uniform(-8, 8, 3000).astype(dtype)
    elem = ELEM[np.dtype(dtype)]
    lanes = widths(target, elem)[-1]
    got = run(library(target), Loop("pow", BINARY["pow"], elem, lanes, 2), base, exponent)
    with mp.workprec(160):
        exact = [mp.power(float(b), float(x)) for b, x in zip(base, exponent, strict=True)]
        spacing = np.spacing(np.array([float(value) for value in exact]).astype(dtype))
        errors = [abs(mpmath.mpf(float(g)) - value) for g, value in zip(got, exact, strict=True)]
    worst = max(float(e) / float(s) for e, s in zip(errors, spacing, strict=True))
    assert worst <= ULP_BOUNDS["pow"][DTYPES.index(dtype)]


PRODUCTS: dict[str, Any] = {"xlogy": mp.log, "xlog1py": mp.log1p}


@pytest.mark.parametrize("target", targets())
@pytest.mark.parametrize("dtype", DTYPES, ids=lambda dtype: dtype.__name__)
@pytest.mark.parametrize("name", PRODUCTS)
def test_products_with_logarithms(name: str, dtype: Any, target: str) -> None:
    generator = np.random.default_rng(5)
    factor = generator.normal(size=2000).astype(dtype)
    number = np.exp2(generator.uniform(-30, 30, 2000)).astype(dtype)
    elem = ELEM[np.dtype(dtype)]
    for lanes in widths(target, elem):
        got = run(library(target), Loop(name, BINARY[name], elem, lanes, 2), factor, number)
        with mp.workprec(160):
            pairs = zip(factor, number, strict=True)
            exact = [mpmath.mpf(float(x)) * PRODUCTS[name](mpmath.mpf(float(y))) for x, y in pairs]
            spacing = np.spacing(np.abs(np.array([float(value) for value in exact]).astype(dtype)))
            errors = [abs(mpmath.mpf(float(g)) - v) for g, v in zip(got, exact, strict=True)]
        worst = max(float(e) / float(s) for e, s in zip(errors, spacing, strict=True))
        assert worst <= ULP_BOUNDS[name][DTYPES.index(dtype)]


PAIRS = {"hypot": (mp.hypot, np.hypot), "atan2": (mp.atan2, np.arctan2)}


@pytest.mark.parametrize("target", targets())
@pytest.mark.parametrize("dtype", DTYPES, ids=lambda dtype: dtype.__name__)
@pytest.mark.parametrize("name", PAIRS)
def test_lengths_and_angles(name: str, dtype: Any, target: str) -> None:
    generator = np.random.default_rng(5)
    a, b = (np.exp2(generator.uniform(-30, 30, (2, 2000))) * [[1], [-1]]).astype(dtype)
    a, b = np.append(a, [3e38, 3e-39, 1.0]).astype(dtype), np.append(b, [3e38, 1e-40, 1e-40])
    b = b.astype(dtype)
    elem = ELEM[np.dtype(dtype)]
    exactly, numpys = PAIRS[name]
    for lanes in widths(target, elem):
        got = run(library(target), Loop(name, BINARY[name], elem, lanes, 2), a, b)
        with mp.workprec(160):
            exact = [exactly(float(x), float(y)) for x, y in zip(a, b, strict=True)]
            with np.errstate(over="ignore"):
                nearest = np.array([float(value) for value in exact]).astype(dtype)
            finite = np.isfinite(nearest)
            np.testing.assert_array_equal(got[~finite], nearest[~finite])
            spacing = np.spacing(np.abs(nearest[finite]))
            wanted = [value for value, known in zip(exact, finite, strict=True) if known]
            errors = [
                abs(mpmath.mpf(float(g)) - v) for g, v in zip(got[finite], wanted, strict=True)
            ]
        worst = max(float(e) / float(s) for e, s in zip(errors, spacing, strict=True))
        assert worst <= ULP_BOUNDS[name][DTYPES.index(dtype)]
        special = [0.0, -0.0, 1.0, -1.0, INF, -INF, NAN]
        one, other = (grid.ravel().astype(dtype) for grid in np.meshgrid(special, special))
        got = run(library(target), Loop(name, BINARY[name], elem, lanes, 2), one, other)
        np.testing.assert_array_max_ulp(np.nan_to_num(got), np.nan_to_num(numpys(one, other)), 1)
        np.testing.assert_array_equal(np.isnan(got), np.isnan(numpys(one, other)))
        np.testing.assert_array_equal(np.isinf(got), np.isinf(numpys(one, other)))


@pytest.mark.parametrize("target", targets())
@pytest.mark.parametrize("dtype", DTYPES, ids=lambda dtype: dtype.__name__)
def test_power_special_values(dtype: Any, target: str) -> None:
    base, exponent = (grid.ravel() for grid in np.meshgrid(POWERS, POWERS))
    base, exponent = base.astype(dtype), exponent.astype(dtype)
    elem = ELEM[np.dtype(dtype)]
    with np.errstate(all="ignore"):
        expected = np.power(base.astype(np.float64), exponent).astype(dtype)
    for lanes in widths(target, elem):
        got = run(library(target), Loop("pow", BINARY["pow"], elem, lanes, 2), base, exponent)
        np.testing.assert_array_max_ulp(np.nan_to_num(got), np.nan_to_num(expected), 1)
        np.testing.assert_array_equal(np.isnan(got), np.isnan(expected))
        known = ~np.isnan(expected)
        np.testing.assert_array_equal(np.signbit(got)[known], np.signbit(expected)[known])


@pytest.mark.parametrize("target", targets())
@pytest.mark.parametrize("dtype", DTYPES, ids=lambda dtype: dtype.__name__)
@pytest.mark.parametrize("name", ["remainder", "floor_divide", "fmod"])
def test_division_is_numpys(name: str, dtype: Any, target: str) -> None:
    generator = np.random.default_rng(6)
    special = [0.0, -0.0, 1.0, -1.0, 0.1, -0.1, 3.0, -7.5, 1e30, -1e-30, INF, -INF, NAN]
    one, other = (grid.ravel() for grid in np.meshgrid(special, special))
    a = np.concatenate([one, generator.normal(size=500) * 100]).astype(dtype)
    b = np.concatenate([other, generator.normal(size=500)]).astype(dtype)
    with np.errstate(all="ignore"):
        expected = getattr(np, name)(a, b)
    elem = ELEM[np.dtype(dtype)]
    for lanes in widths(target, elem):
        got = run(library(target), Loop(name, BINARY[name], elem, lanes, 2), a, b)
        np.testing.assert_array_equal(got, expected)
        known = ~np.isnan(expected)
        np.testing.assert_array_equal(np.signbit(got)[known], np.signbit(expected)[known])


def test_the_functions_compile_for_aarch64() -> None:
    llvm = native.binding()
    llvm.initialize_all_targets()
    llvm.initialize_all_asmprinters()
    arm = Target("aarch64-unknown-linux-gnu", "generic", "", "neon", 128, True)
    loops = all_loops(lambda elem: [1, 4 if elem == "float" else 2])
    code = compile_loops_to_object(loops, arm)
    assert code[:4] == b"\x7fELF"
    assert int.from_bytes(code[18:20], "little") == 183  # EM_AARCH64
