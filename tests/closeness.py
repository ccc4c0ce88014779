"""Strict comparison of arrays: dtype, shape, NaN places, sign of zeros, distance in ulps."""

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


def assert_same(
    actual: Array,
    expected: Array,
    *,
    ulps: float = 0,
    absolute: float = 0.0,
    signed_zero: bool = True,
    what: str = "",
) -> None:
    """Raise AssertionError unless the arrays agree.

    Args:
        actual: what was computed.
        expected: what should have been.
        ulps: permitted distance in units in the last place of the expected value.
        absolute: permitted distance besides.
        signed_zero: whether -0.0 and 0.0 differ.
        what: stands in the message.
    """
    assert actual.dtype == expected.dtype, f"{what}: {actual.dtype}, not {expected.dtype}"
    assert actual.shape == expected.shape, f"{what}: {actual.shape}, not {expected.shape}"
    if actual.dtype.kind in "biu":
        np.testing.assert_array_equal(actual, expected, what)
        return
    if actual.dtype.kind == "c":
        assert_same(actual.real, expected.real, ulps=ulps, absolute=absolute,
                    signed_zero=signed_zero, what=what)  # fmt: skip
        assert_same(actual.imag, expected.imag, ulps=ulps, absolute=absolute,
                    signed_zero=signed_zero, what=what)  # fmt: skip
        return
    got, want = actual.astype(np.float64), expected.astype(np.float64)
    with np.errstate(all="ignore"):
        unit = _ulp(expected)
        close = np.abs(got - want) <= ulps * unit + absolute
    same = (got == want) | (np.isnan(got) & np.isnan(want)) | close
    if signed_zero:
        same &= (want != 0) | (got != 0) | (np.signbit(got) == np.signbit(want))
    if not same.all():
        place = tuple(np.argwhere(~same)[0])
        raise AssertionError(f"{what}: at {place} {got[place]!r}, not {want[place]!r}")


def _ulp(values: Array) -> Array:
    digits = {"float16": 10, "bfloat16": 7, "float32": 23, "float64": 52}[values.dtype.name]
    tiny = {"float16": -24, "bfloat16": -133, "float32": -149, "float64": -1074}
    _, exponent = np.frexp(np.abs(values.astype(np.float64)))
    return np.exp2(np.maximum(exponent - 1.0 - digits, tiny[values.dtype.name]))
