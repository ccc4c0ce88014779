"""What every primitive should compute, written with Python numbers and loops.

Nothing here calls graphc or the numpy function that graphc uses: elements are Python ints, floats
and complex numbers, integers wrap by arithmetic on unbounded ints.
"""

import cmath
import itertools
import math
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import numpy.typing as npt
from mpmath import mp

from tests import special_oracles as special
from tests.control_samples import CONTROL_ORACLES
from tests.convolution_oracles import CONVOLUTION_ORACLES
from tests.fourier_oracles import FOURIER_ORACLES
from tests.matrix_oracles import MATRIX_ORACLES
from tests.put_oracles import PUT_ORACLES
from tests.quantile_samples import QUANTILE_ORACLES, QUANTILE_ULPS
from tests.scan_oracles import SCAN_ORACLES, SCAN_ULPS

Array = npt.NDArray[Any]
Oracle = Callable[..., Any]


def wrap(value: int, dtype: np.dtype[Any]) -> int:
    """The integer that remains of an unbounded one in two's complement."""
    bits = 8 * dtype.itemsize
    value %= 1 << bits
    return value - (1 << bits) if dtype.kind == "i" and value >> (bits - 1) else value


def python_values(array: Array) -> list[Any]:
    """The elements as Python numbers; half types become floats."""
    if array.dtype.kind in "biuc":
        return list(array.reshape(-1).tolist())
    return [float(value) for value in array.reshape(-1)]


def array_of(values: Iterable[Any], shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
    """Python numbers as an array; floats are rounded once, integers wrap."""
    values = list(values)
    if dtype.kind in "iu":
        values = [wrap(int(value), dtype) for value in values]
    with np.errstate(all="ignore"):
        kind = {"b": np.bool_, "i": dtype, "u": dtype, "c": np.complex128}.get(dtype.kind, float)
        return np.array(values, kind).reshape(shape).astype(dtype)


def per_element(function: Callable[..., Any], result: Any = None) -> Oracle:
    """An oracle that applies a Python function to each element of the broadcast operands."""

    def oracle(*arrays: Array, **attrs: Any) -> Array:
        shape = np.broadcast_shapes(*(array.shape for array in arrays))
        columns = [python_values(np.broadcast_to(array, shape)) for array in arrays]
        dtype = np.dtype(result) if result is not None else arrays[-1].dtype
        values = [function(*row, **attrs) for row in zip(*columns, strict=True)]
        return array_of(values, shape, dtype)

    return oracle


def typed(function: Callable[..., Any]) -> Oracle:
    """Like ``per_element`` for functions that need to know the operands' dtype."""

    def oracle(*arrays: Array) -> Array:
        dtype = arrays[0].dtype
        return per_element(lambda *row: function(*row, dtype))(*arrays)

    return oracle


def total(function: Callable[..., float], *, pole: float = math.nan) -> Callable[..., float]:
    """A function of the math module with IEEE results instead of exceptions."""

    def run(*args: float) -> float:
        if any(math.isnan(x) for x in args):
            return math.nan
        try:
            return function(*args)
        except OverflowError:
            return math.inf
        except ValueError:
            return pole if args[0] in (0.0, -1.0) else math.nan

    return run


def divide(a: Any, b: Any) -> Any:
    """IEEE division."""
    if isinstance(a, complex):
        return _divide_complex(a, b)
    if b != 0:
        return a / b
    if a == 0 or a != a:
        return math.nan
    return math.copysign(math.inf, a) * math.copysign(1.0, b)


def _divide_complex(a: complex, b: complex) -> complex:
    """Smith's method, which scales by the divisor's larger part."""
    if b == 0:
        return complex(divide(a.real, 0.0), divide(a.imag, 0.0))
    if abs(b.real) >= abs(b.imag):
        ratio = divide(b.imag, b.real)
        scale = divide(1.0, b.real + b.imag * ratio)
        return complex((a.real + a.imag * ratio) * scale, (a.imag - a.real * ratio) * scale)
    ratio = divide(b.real, b.imag)
    scale = divide(1.0, b.imag + b.real * ratio)
    return complex((a.real * ratio + a.imag) * scale, (a.imag * ratio - a.real) * scale)


def floor_divide(a: Any, b: Any) -> Any:
    """Floored division; integers divided by zero give 0."""
    if b == 0:
        return 0 if isinstance(b, int) else divide(a, b)
    return a // b


def remainder(a: Any, b: Any) -> Any:
    """The remainder with the divisor's sign; integers by zero give 0."""
    if b == 0:
        return 0 if isinstance(b, int) else math.nan
    return math.nan if a in (math.inf, -math.inf) else a % b


def power(a: Any, b: Any, dtype: np.dtype[Any]) -> Any:
    """C's pow; integers to negative powers truncate."""
    if isinstance(a, int):
        if b >= 0:
            return pow(a, b, 1 << 64) if a >= 0 else (-1) ** (b % 2) * pow(-a, b, 1 << 64)
        return {1: 1, -1: -1 if b % 2 else 1}.get(a, 0)
    if b == 0 or a == 1:
        return 1.0
    try:
        return math.pow(a, b)
    except OverflowError:
        return -math.inf if a < 0 and b % 2 == 1 else math.inf
    except ValueError:
        odd = b == math.trunc(b) and b % 2 == 1
        if a == 0:
            return math.copysign(math.inf, a) if odd else math.inf
        return math.nan


def larger(a: Any, b: Any) -> Any:
    """The maximum; a NaN wins."""
    return a if a != a or not (b != b or b > a) else b


def smaller(a: Any, b: Any) -> Any:
    """The minimum; a NaN wins."""
    return a if a != a or not (b != b or b < a) else b


def sign(x: Any) -> Any:
    """-1, 0, 1 or NaN."""
    return x if x != x else (x > 0) - (x < 0)


def whole(function: Callable[[float], int]) -> Callable[[float], float]:
    """A rounding of the math module, which keeps the sign of zero and what is not finite."""
    return lambda x: math.copysign(function(x), x) if math.isfinite(x) else x


def reciprocal_root(x: float) -> float:
    """1 / sqrt(x)."""
    if x == 0:
        return math.copysign(math.inf, x)
    return total(lambda value: 1 / math.sqrt(value))(x)


def logistic(x: float) -> float:
    """1 / (1 + exp(-x)) without overflow."""
    return 1 / (1 + math.exp(-x)) if x > -700 else total(math.exp)(x)


def shift_left(a: int, amount: int, dtype: np.dtype[Any]) -> int:
    """Bits that leave are lost."""
    return a << amount if amount < 8 * dtype.itemsize else 0


def shift_right(a: int, amount: int, dtype: np.dtype[Any]) -> int:
    """The sign is shifted in."""
    return a >> min(amount, 8 * dtype.itemsize)


def cast(x: Array, *, dtype: Any) -> Array:
    """Truncate and saturate floats to ints, NaN to 0; drop imaginary parts; wrap ints."""
    target = dtype.numpy

    def convert(value: Any) -> Any:
        if target.kind == "b":
            return value != 0
        if isinstance(value, complex) and target.kind != "c":
            value = value.real
        if target.kind in "iu" and isinstance(value, float):
            limits = np.iinfo(target)
            if math.isnan(value):
                return 0
            clipped = min(max(value, float(limits.min)), float(limits.max))
            return min(max(int(clipped), int(limits.min)), int(limits.max))
        return value

    return per_element(convert, target)(x)


def fold(step: Callable[[list[Any]], Any], *, result: Any = None) -> Callable[..., Array]:
    """A reduction that applies ``step`` to the list of elements that fall together."""

    def oracle(x: Array, *, dims: tuple[int, ...]) -> Array:
        shape = tuple(1 if dim in dims else size for dim, size in enumerate(x.shape))
        groups: dict[tuple[int, ...], list[Any]] = {place: [] for place in np.ndindex(shape)}
        for place, value in zip(np.ndindex(x.shape), python_values(x), strict=True):
            groups[tuple(0 if d in dims else i for d, i in enumerate(place))].append(value)
        dtype = np.dtype(result) if result is not None else x.dtype
        return array_of((step(group) for group in groups.values()), shape, dtype)

    return oracle


def add_up(values: list[Any]) -> Any:
    """The sum, exact for floats; or for bools."""
    if values and isinstance(values[0], bool):
        return any(values)
    if not values or isinstance(values[0], int):
        return sum(values)
    if isinstance(values[0], complex):
        return complex(add_up([v.real for v in values]), add_up([v.imag for v in values]))
    if any(map(math.isnan, values)) or {math.inf, -math.inf} <= set(values):
        return math.nan
    try:
        return math.fsum(values)
    except OverflowError:
        return math.nan


def multiply(values: list[Any]) -> Any:
    """The product."""
    product: Any = 1
    for value in values:
        product = product * value
    return product


def first_of(wins: Callable[[Any, Any], Any]) -> Callable[[list[Any]], int]:
    """The first position of the extremum; the first NaN wins."""

    def step(values: list[Any]) -> int:
        best = 0
        for position, value in enumerate(values):
            if values[best] == values[best] and (value != value or wins(value, values[best])):
                best = position
        return best

    return step


def rearranged(
    shape_of: Callable[..., tuple[int, ...]], source_of: Callable[..., tuple[int, ...] | None]
) -> Oracle:
    """Copy elements one by one: ``source_of(place, x.shape, **attrs)`` or None for padding."""

    def oracle(x: Array, **attrs: Any) -> Array:
        shape = shape_of(x.shape, **attrs)
        result = np.empty(shape, x.dtype)
        for place in np.ndindex(shape):
            source = source_of(place, x.shape, **attrs)
            result[place] = attrs["value"] if source is None else x[source]
        return result

    return oracle


def reshape(x: Array, *, shape: tuple[int, ...]) -> Array:
    """The same elements in C order."""
    result = np.empty(shape, x.dtype)
    for target, source in zip(np.ndindex(shape), np.ndindex(x.shape), strict=True):
        result[target] = x[source]
    return result


def _pad_source(
    place: tuple[int, ...], shape: tuple[int, ...], *, low: Any, interior: Any, **_: Any
) -> tuple[int, ...] | None:
    source = []
    for at, size, start, gap in zip(place, shape, low, interior, strict=True):
        index, rest = divmod(at - start, gap + 1)
        if rest or not 0 <= index < size:
            return None
        source.append(index)
    return tuple(source)


def _pad_shape(shape: tuple[int, ...], *, low: Any, high: Any, interior: Any, **_: Any) -> Any:
    return tuple(
        a + n + b + gap * max(n - 1, 0)
        for n, a, b, gap in zip(shape, low, high, interior, strict=True)
    )


def concat(*arrays: Array, dim: int) -> Array:
    """One after another along a dim."""
    shape = list(arrays[0].shape)
    shape[dim] = sum(array.shape[dim] for array in arrays)
    result = np.empty(shape, arrays[0].dtype)
    start = 0
    for array in arrays:
        for place in np.ndindex(array.shape):
            result[(*place[:dim], place[dim] + start, *place[dim + 1 :])] = array[place]
        start += array.shape[dim]
    return result


def matmul(a: Array, b: Array) -> Array:
    """Rows times columns."""
    batch = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    a = np.broadcast_to(a, (*batch, *a.shape[-2:]))
    b = np.broadcast_to(b, (*batch, *b.shape[-2:]))
    values = []
    for place in itertools.product(*map(range, batch), range(a.shape[-2]), range(b.shape[-1])):
        *lead, row, column = place
        left = python_values(a[(*lead, row)])
        right = python_values(b[(*lead, slice(None), column)])
        products = [x * y for x, y in zip(left, right, strict=True)]
        values.append(add_up([bool(p) for p in products] if a.dtype.kind == "b" else products))
    return array_of(values, (*batch, a.shape[-2], b.shape[-1]), a.dtype)


def _indexed_places(
    shape: tuple[int, ...], indices: tuple[Array, ...], dims: tuple[int, ...]
) -> Iterable[tuple[tuple[int, ...], tuple[int, ...]]]:
    """Pairs of a place in the indexed result and the place in the full array."""
    common = np.broadcast_shapes(*(index.shape for index in indices))
    wide = [np.broadcast_to(index, common) for index in indices]
    kept = [dim for dim in range(len(shape)) if dim not in dims]
    for head in np.ndindex(common):
        for tail in np.ndindex(tuple(shape[dim] for dim in kept)):
            place = dict(zip(kept, tail, strict=True))
            place |= {dim: int(index[head]) for dim, index in zip(dims, wide, strict=True)}
            yield (*head, *tail), tuple(place[dim] for dim in range(len(shape)))


def index(x: Array, *indices: Array, dims: tuple[int, ...]) -> Array:
    """Read at positions."""
    common = np.broadcast_shapes(*(index.shape for index in indices))
    kept = tuple(size for dim, size in enumerate(x.shape) if dim not in dims)
    result = np.empty((*common, *kept), x.dtype)
    for target, source in _indexed_places(x.shape, indices, dims):
        result[target] = x[source]
    return result


def index_add(
    values: Array, *indices: Array, shape: tuple[int, ...], dims: tuple[int, ...]
) -> Array:
    """Add at positions, into zeros."""
    sums: dict[tuple[int, ...], list[Any]] = {place: [] for place in np.ndindex(shape)}
    for source, target in _indexed_places(shape, indices, dims):
        sums[target].extend(python_values(values[source]))
    return array_of((add_up(group) for group in sums.values()), shape, values.dtype)


def gather(x: Array, index: Array, *, dim: int) -> Array:
    """Read along one dim."""
    result = np.empty(index.shape, x.dtype)
    for place in np.ndindex(index.shape):
        result[place] = x[(*place[:dim], int(index[place]), *place[dim + 1 :])]
    return result


def scatter_add(x: Array, index: Array, source: Array, *, dim: int) -> Array:
    """Add along one dim."""
    sums = {place: python_values(x[place]) for place in np.ndindex(x.shape)}
    for place in np.ndindex(index.shape):
        target = (*place[:dim], int(index[place]), *place[dim + 1 :])
        sums[target].extend(python_values(source[place]))
    return array_of((add_up(group) for group in sums.values()), x.shape, x.dtype)


def philox(counter: tuple[int, ...], key: tuple[int, ...]) -> tuple[int, ...]:
    """Philox4x32-10 on Python ints."""
    mask = 0xFFFFFFFF
    for _ in range(10):
        first, second = 0xD2511F53 * counter[0], 0xCD9E8D57 * counter[2]
        counter = (
            (second >> 32) ^ counter[1] ^ key[0], second & mask,
            (first >> 32) ^ counter[3] ^ key[1], first & mask,
        )  # fmt: skip
        key = ((key[0] + 0x9E3779B9) & mask, (key[1] + 0xBB67AE85) & mask)
    return counter


def random_bits(state: Array, *, call: int, shape: tuple[int, ...]) -> Array:
    """Element i is word (i // 16) % 4 of block (i // 64) * 16 + i % 16."""
    mask = 0xFFFFFFFF
    seed, offset = int(state[0]) % 2**64, (int(state[1]) + call) % 2**64
    words = []
    for i in range(math.prod(shape)):
        block = (i // 64) * 16 + i % 16
        counter = (block & mask, block >> 32, offset & mask, offset >> 32)
        words.append(philox(counter, (seed & mask, seed >> 32))[(i // 16) % 4])
    return array_of(words, shape, np.dtype(np.int32))


def normal(a: int, b: int, *, dtype: Any) -> float:
    """Box-Muller."""
    radius = math.sqrt(-2 * math.log((a % 2**32 + 0.5) / 2**32))
    return radius * math.cos(2 * math.pi * (b % 2**32) / 2**32)


def normal_from_bits(a: Array, b: Array, *, dtype: Any) -> Array:
    """Box-Muller of each pair."""
    return per_element(lambda x, y: normal(x, y, dtype=dtype), dtype.numpy)(a, b)


def iota(*, shape: tuple[int, ...], dim: int, dtype: Any) -> Array:
    """Each element is its own index."""
    return array_of((place[dim] for place in np.ndindex(shape)), shape, dtype.numpy)


def fused(x: Array, factor: Array, *, body: Any) -> Any:
    """The body of the samples: exp(x * factor) plus its sum over rows; 2 * x."""
    rows = [[math.exp(np.float32(v * factor)) for v in row] for row in x.tolist()]
    first = np.array([[v + math.fsum(row) for v in row] for row in rows], np.float32)
    return first if len(body.outputs) == 1 else (first, np.array(x.tolist(), np.float32) * 2)


def fused_matmul(a: Array, b: Array, row: Array, *, body: Any, transposed: bool) -> Any:
    """The body of the samples: the product plus a row; the product."""
    product = matmul(a, b).T if transposed else matmul(a, b)
    return product + row if len(body.outputs) == 1 else (product + row, product)


def logical(function: Callable[[bool, bool], bool]) -> Oracle:
    """An oracle on bools."""
    return per_element(function, np.bool_)


def add(a: Any, b: Any) -> Any:
    """The sum; or for bools."""
    return a or b if isinstance(a, bool) else a + b


def times(a: Any, b: Any) -> Any:
    """The product; and for bools."""
    return a and b if isinstance(a, bool) else a * b


def least_multiple(a: int, b: int, dtype: np.dtype[Any]) -> int:
    """The magnitude of what remains of the least common multiple in 32 bits or more."""
    divisor = math.gcd(a, b)
    wide = np.promote_types(dtype, np.int32)
    return abs(wrap(a // divisor * b, wide)) if divisor else 0


def neighbours(a: Array, b: Array) -> Array:
    """The next number of the dtype, found by counting: numbers of one sign are in order as ints."""
    count = {2: np.int16, 4: np.int32, 8: np.int64}[a.dtype.itemsize]
    shape = np.broadcast_shapes(a.shape, b.shape)
    result = np.broadcast_to(a, shape).astype(a.dtype)
    for place in np.ndindex(shape):
        start, goal = float(result[place]), float(np.broadcast_to(b, shape)[place])
        if math.isnan(start) or math.isnan(goal):
            result[place] = math.nan
        elif start == goal:
            result[place] = goal
        elif start == 0:
            tiny = np.array(1, count).view(a.dtype)
            result[place] = tiny if goal > 0 else -tiny
        else:
            away = (goal > start) == (start > 0)
            number = int(np.array(result[place]).view(count)) + (1 if away else -1)
            result[place] = np.array(number, count).view(a.dtype)
    return result


def part(function: Callable[[complex], float]) -> Oracle:
    """An oracle from complex numbers to floats of the parts' dtype."""

    def oracle(z: Array) -> Array:
        return per_element(function, np.float32 if z.dtype == np.complex64 else np.float64)(z)

    return oracle


def joined(real: Array, imag: Array) -> Array:
    """Two parts as one number."""
    return per_element(complex, np.complex64 if real.dtype == np.float32 else np.complex128)(
        real, imag
    )


def _bessel(function: Callable[..., Any], order: int) -> Callable[[Any], Any]:
    return lambda x: function(order, x)


def _scaled(function: Callable[..., Any], order: int, sign: int) -> Callable[[Any], Any]:
    return lambda x: mp.exp(sign * abs(x)) * function(order, x)


INF = math.inf
_exactly = special.exactly

FUNCTIONS: dict[str, Callable[..., float]] = {
    "asin": total(math.asin),
    "acos": total(math.acos),
    "atan": math.atan,
    "sinh": lambda x: math.copysign(total(math.sinh)(abs(x)), x),
    "cosh": total(math.cosh),
    "asinh": math.asinh,
    "acosh": total(math.acosh),
    "atanh": lambda x: math.copysign(INF, x) if abs(x) == 1 else total(math.atanh)(x),
    "atan2": math.atan2,
    "hypot": math.hypot,
    "exp2": total(lambda x: 2.0**x),
    "log2": lambda x: -INF if x == 0 else total(math.log2)(x),
    "log10": lambda x: -INF if x == 0 else total(math.log10)(x),
    "xlogy": special.times_log(mp.log, 0),
    "xlog1py": special.times_log(mp.log1p, -1),
    "logaddexp": special.log_of_sum(mp.e),
    "logaddexp2": special.log_of_sum(2),
    "logit": special.odds,
    "copysign": math.copysign,
    "mantissa": special.mantissa,
    "erfc": math.erfc,
    "erfinv": special.inside(-1, 1, _exactly(
        special.inverse_error_function, {1.0: INF, -1.0: -INF, 0.0: 0.0}
    )),
    "erfcx": _exactly(special.scaled_complement, {INF: 0.0, -INF: INF}),
    "entr": special.entropy,
    "ndtri": special.inside(0, 1, _exactly(special.normal_quantile, {0.0: -INF, 1.0: INF})),
    "log_ndtr": _exactly(special.log_normal_distribution, {INF: -0.0, -INF: -INF}),
    "lgamma": special.log_gamma,
    "digamma": lambda x: math.copysign(INF, -x) if x == 0 else _exactly(mp.digamma, {INF: INF})(x),
    "i0": _exactly(_bessel(mp.besseli, 0)),
    "i1": _exactly(_bessel(mp.besseli, 1)),
    "i0e": _exactly(_scaled(mp.besseli, 0, -1), {INF: 0.0, -INF: 0.0}),
    "i1e": _exactly(_scaled(mp.besseli, 1, -1), {INF: 0.0, -INF: -0.0}),
    "bessel_j0": _exactly(_bessel(mp.besselj, 0)),
    "bessel_j1": _exactly(_bessel(mp.besselj, 1)),
    "bessel_y0": _exactly(_bessel(mp.bessely, 0), {0.0: -INF}),
    "bessel_y1": _exactly(_bessel(mp.bessely, 1), {0.0: -INF}),
    "bessel_k0": _exactly(_bessel(mp.besselk, 0), {0.0: INF, INF: 0.0}),
    "bessel_k1": _exactly(_bessel(mp.besselk, 1), {0.0: INF, INF: 0.0}),
    "bessel_k0e": _exactly(_scaled(mp.besselk, 0, 1), {0.0: INF, INF: 0.0}),
    "bessel_k1e": _exactly(_scaled(mp.besselk, 1, 1), {0.0: INF, INF: 0.0}),
    "airy_ai": _exactly(mp.airyai),
    "airy_ai_prime": _exactly(lambda x: mp.airyai(x, derivative=1)),
}  # fmt: skip
"""From floats to a float of the same dtype."""

COMPLEX_FUNCTIONS: dict[str, Callable[..., Any]] = {
    **{
        name: getattr(cmath, name)
        for name in (
            "exp log sqrt sin cos tan tanh asin acos atan sinh cosh asinh acosh atanh"
        ).split()
    },
    "expm1": lambda z: complex(mp.expm1(z)),
    "log1p": lambda z: complex(mp.log1p(z)),
    "rsqrt": lambda z: 1 / cmath.sqrt(z),
    "exp2": lambda z: cmath.exp(z * math.log(2)),
    "log2": lambda z: cmath.log(z) / math.log(2),
    "log10": cmath.log10,
    "sigmoid": lambda z: 1 / (1 + cmath.exp(-z)),
    "pow": lambda a, b: a**b,
}


def or_complex(name: str, oracle: Oracle) -> Oracle:
    """An oracle of real numbers, and the function of that name for complex ones."""
    of_complex = per_element(COMPLEX_FUNCTIONS[name])
    return lambda *arrays: (of_complex if arrays[0].dtype.kind == "c" else oracle)(*arrays)


ORACLES: dict[str, Oracle] = {
    "add": per_element(add),
    "sub": per_element(lambda a, b: a - b),
    "mul": per_element(times),
    "div": per_element(lambda a, b: divide(a, b)),
    "floor_divide": per_element(floor_divide),
    "remainder": per_element(remainder),
    "pow": typed(power),
    "maximum": per_element(larger),
    "minimum": per_element(smaller),
    "neg": per_element(lambda x: -x),
    "abs": per_element(abs),
    "sign": per_element(sign),
    "floor": per_element(whole(math.floor)),
    "ceil": per_element(whole(math.ceil)),
    "round": per_element(whole(round)),
    "trunc": per_element(whole(math.trunc)),
    "exp": per_element(total(math.exp)),
    "expm1": per_element(total(math.expm1)),
    "log": per_element(lambda x: -math.inf if x == 0 else total(math.log)(x)),
    "log1p": per_element(total(math.log1p, pole=-math.inf)),
    "sqrt": per_element(total(math.sqrt)),
    "rsqrt": per_element(reciprocal_root),
    "sin": per_element(total(math.sin)),
    "cos": per_element(total(math.cos)),
    "tan": per_element(total(math.tan)),
    "tanh": per_element(total(math.tanh)),
    "sigmoid": per_element(logistic),
    "erf": per_element(math.erf),
    **{name: per_element(function) for name, function in FUNCTIONS.items()},
    "exponent": per_element(special.exponent, np.int32),
    "fmod": per_element(special.truncated_remainder),
    "gcd": per_element(special.divisor),
    "lcm": typed(least_multiple),
    "nextafter": neighbours,
    "conj": per_element(lambda z: z.conjugate()),
    "real": part(lambda z: z.real),
    "imag": part(lambda z: z.imag),
    "magnitude": part(lambda z: math.hypot(z.real, z.imag)),
    "complex": joined,
    "polygamma": per_element(special.poly_gamma),
    "zeta": per_element(special.hurwitz),
    "gammainc": per_element(special.incomplete_gamma),
    "gammaincc": per_element(special.upper_gamma),
    "eq": logical(lambda a, b: a == b),
    "ne": logical(lambda a, b: a != b),
    "lt": logical(lambda a, b: a < b),
    "le": logical(lambda a, b: a <= b),
    "gt": logical(lambda a, b: a > b),
    "ge": logical(lambda a, b: a >= b),
    "logical_and": logical(lambda a, b: a and b),
    "logical_or": logical(lambda a, b: a or b),
    "logical_xor": logical(lambda a, b: a is not b),
    "logical_not": logical(lambda a: not a),
    "bitwise_and": per_element(lambda a, b: a & b),
    "bitwise_or": per_element(lambda a, b: a | b),
    "bitwise_xor": per_element(lambda a, b: a ^ b),
    "bitwise_not": per_element(lambda a: not a if isinstance(a, bool) else ~a),
    "shift_left": typed(shift_left),
    "shift_right": typed(shift_right),
    "where": per_element(lambda chosen, a, b: a if chosen else b),
    "cast": cast,
    "detach": per_element(lambda x: x),
    "copy": per_element(lambda x: x),
    "no_nan": lambda x, **_: x,
    "sum": fold(add_up),
    "prod": fold(multiply),
    "amax": fold(lambda values: values[first_of(lambda a, b: a > b)(values)]),
    "amin": fold(lambda values: values[first_of(lambda a, b: a < b)(values)]),
    "argmax": fold(first_of(lambda a, b: a > b), result=np.int64),
    "argmin": fold(first_of(lambda a, b: a < b), result=np.int64),
    "reshape": reshape,
    "permute": rearranged(
        lambda shape, dims: tuple(shape[d] for d in dims),
        lambda place, shape, dims: tuple(place[dims.index(d)] for d in range(len(shape))),
    ),
    "expand": rearranged(
        lambda own, shape: shape,
        lambda place, own, shape: tuple(
            0 if size == 1 else at
            for at, size in zip(place[len(shape) - len(own) :], own, strict=True)
        ),
    ),
    "slice": rearranged(
        lambda shape, starts, stops, steps: tuple(map(len, map(range, starts, stops, steps))),
        lambda place, shape, starts, stops, steps: tuple(
            start + at * step for at, start, step in zip(place, starts, steps, strict=True)
        ),
    ),
    "flip": rearranged(
        lambda shape, dims: shape,
        lambda place, shape, dims: tuple(
            shape[d] - 1 - at if d in dims else at for d, at in enumerate(place)
        ),
    ),
    "pad": rearranged(_pad_shape, _pad_source),
    "concat": concat,
    "matmul": matmul,
    "linear": lambda x, weight: matmul(x[..., None, :], weight.T)[..., 0, :],
    "index": index,
    "index_add": index_add,
    "gather": gather,
    "scatter_add": scatter_add,
    "random_bits": random_bits,
    "normal_from_bits": normal_from_bits,
    "constant": lambda value: np.array(value.array.tolist(), value.array.dtype).reshape(
        value.array.shape
    ),
    "variable": lambda name, type, source: source.array,
    "size": lambda size: np.array(size, np.int64),
    "iota": iota,
    "fused": fused,
    "fused_matmul": fused_matmul,
    "item": lambda both, index: both[index],
    **CONTROL_ORACLES, **SCAN_ORACLES, **MATRIX_ORACLES, **PUT_ORACLES,
    **CONVOLUTION_ORACLES, **FOURIER_ORACLES, **QUANTILE_ORACLES,
}  # fmt: skip

ORACLES |= {name: or_complex(name, ORACLES[name]) for name in COMPLEX_FUNCTIONS}

INEXACT = (
    "logaddexp logit erfcx log_ndtr lgamma digamma i1 i0 i0e i1e bessel_j0 bessel_j1 "
    "bessel_y0 bessel_y1 bessel_k0 bessel_k1 bessel_k0e bessel_k1e airy_ai airy_ai_prime zeta "
    "gammainc gammaincc"
).split()
"""Functions that scipy computes to some digits less, and not to the sign of 0."""

ULPS = {
    **dict.fromkeys(
        ("exp", "expm1", "log", "log1p", "rsqrt", "sin", "cos", "tan", "tanh", "sigmoid", "erf"), 4
    ),
    **dict.fromkeys(FUNCTIONS, 4), "fmod": 1, "magnitude": 1, "polygamma": 8,
    **dict.fromkeys(INEXACT, 256),
    "pow": 4, "floor_divide": 1, "remainder": 1, "fused": 8, "div": 1, "normal_from_bits": 64,
    **SCAN_ULPS, **QUANTILE_ULPS,
}  # fmt: skip
"""Permitted distance in units in the last place; 0 where nothing is said."""

ACCUMULATING = frozenset(
    {
        "sum",
        "prod",
        "matmul",
        "fused_matmul",
        "linear",
        "index_add",
        "scatter_add",
        *CONVOLUTION_ORACLES,
        *FOURIER_ORACLES,
        *MATRIX_ORACLES,
    }
)
"""Operations whose error grows with the number of terms."""
