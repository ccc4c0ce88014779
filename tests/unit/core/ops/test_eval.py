"""Every primitive's meaning against an oracle of Python numbers, and its type against its value."""

import warnings

import numpy as np
import pytest

from graphc.evaluate import evaluate_node
from graphc.node import constant
from graphc.opdef import OpDef, Trait, all_ops, get_op
from tests.closeness import assert_same
from tests.op_oracles import ACCUMULATING, COMPLEX_FUNCTIONS, INEXACT, ORACLES, ULPS
from tests.op_samples import NAMES, Sample, samples, type_of

COMPUTED = [name for name in NAMES if name != "placeholder"]


def compute(op: OpDef, sample: Sample) -> object:
    with np.errstate(all="ignore"):
        return op.eval(*sample.arrays, **sample.attrs)


def test_every_operation_has_samples_and_an_oracle() -> None:
    assert {op.name for op in all_ops()} == set(NAMES)
    assert set(NAMES) - {"placeholder"} == set(ORACLES)


@pytest.mark.parametrize("name", COMPUTED)
def test_value(name: str) -> None:
    for sample in samples(name):
        actual = compute(get_op(name), sample)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            expected = ORACLES[name](*sample.arrays, **sample.attrs)
        pairs = zip(
            *((v if isinstance(v, tuple) else (v,)) for v in (actual, expected)), strict=True
        )
        for got, want in pairs:
            assert_same(got, want, what=f"{name}{sample}", **tolerance(name, sample))


def tolerance(name: str, sample: Sample) -> dict[str, float]:
    if name not in ACCUMULATING:
        computed = {"mul", "div", *COMPLEX_FUNCTIONS}
        if name in computed and sample.arrays[0].dtype.kind == "c":
            return {"ulps": 64, "absolute": 64 * float(np.finfo(sample.arrays[0].dtype).eps)}
        absolute = {"normal_from_bits": 1e-7, **dict.fromkeys(INEXACT, 1e-15)}.get(name, 0.0)
        signed = name not in {
            "maximum", "minimum", "amax", "amin", "sign", "normal_from_bits", "nextafter", *INEXACT
        }  # fmt: skip
        return {"ulps": ULPS.get(name, 0), "signed_zero": signed, "absolute": absolute}
    array = sample.arrays[0]
    if array.dtype.kind in "biu":
        return {}
    finite = np.abs(array.astype(np.complex128))
    largest = float(finite[np.isfinite(finite)].max(initial=1.0))
    eps = 2.0**-7 if array.dtype.name == "bfloat16" else float(np.finfo(array.dtype).eps)
    return {"ulps": 64, "absolute": 64 * eps * largest, "signed_zero": False}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", COMPUTED)
def test_inferred_type_is_the_type_of_the_value(name: str, seed: int) -> None:
    op = get_op(name)
    for sample in samples(name, seed):
        inferred = op.infer(*sample.types, **sample.attrs)
        value = compute(op, sample)
        assert type_of(value) == inferred, f"{name}{sample}"


@pytest.mark.parametrize(
    "name", [n for n in COMPUTED if get_op(n).traits & (Trait.ELEMENTWISE | Trait.REDUCE)]
)
def test_computed_results_are_contiguous_arrays_of_their_own(name: str) -> None:
    for sample in samples(name):
        value = compute(get_op(name), sample)
        assert type(value) is np.ndarray, f"{name}{sample}"
        assert value.flags.c_contiguous, f"{name}{sample}"
        assert not any(np.shares_memory(value, each) for each in sample.arrays), f"{name}{sample}"


@pytest.mark.parametrize("name", COMPUTED)
def test_operands_stay_as_they_are(name: str) -> None:
    for sample in samples(name):
        arrays = [each for each in sample.arrays if isinstance(each, np.ndarray)]
        before = [array.tobytes() for array in arrays]
        compute(get_op(name), sample)
        assert [array.tobytes() for array in arrays] == before, f"{name}{sample}"


def test_a_placeholder_has_no_value_of_its_own() -> None:
    (sample,) = samples("placeholder")
    with pytest.raises(ValueError, match="no value for placeholder 'x'"):
        get_op("placeholder").eval(**sample.attrs)


@pytest.mark.parametrize("name", [n for n in COMPUTED if get_op(n).traits & Trait.COMMUTATIVE])
def test_commutative_operations_commute_bit_for_bit(name: str) -> None:
    for sample in samples(name):
        if sample.arrays[0].dtype.kind == "c":
            continue  # numpy rounds complex products in the order of the operands
        swapped = Sample(sample.arrays[::-1], sample.attrs)
        one, other = compute(get_op(name), sample), compute(get_op(name), swapped)
        assert_same(one, other, what=f"{name}{sample}")


def test_evaluation_is_silent_about_floating_point_events() -> None:
    operands = (np.array(1.0), np.array(0.0))
    quotient = get_op("div")(*map(constant, operands))
    assert evaluate_node(quotient, operands) == np.inf
