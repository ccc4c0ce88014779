"""Random bits: known answers of Philox4x32-10, layout, and statistics."""

import numpy as np
import pytest

from graphc.dtypes import float32, float64
from graphc.ops.random import normal_from_bits, philox_block, random_bits

ONES = 0xFFFFFFFF


@pytest.mark.parametrize(
    ("counter", "key", "expected"),
    [
        ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
        ((ONES,) * 4, (ONES,) * 2, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
        (
            (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
            (0xA4093822, 0x299F31D0),
            (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
        ),
    ],
)
def test_known_answers(
    counter: tuple[int, ...], key: tuple[int, int], expected: tuple[int, ...]
) -> None:
    words = philox_block([np.array([word], np.uint64) for word in counter], key)
    assert tuple(int(word[0]) for word in words) == expected


def draw(seed: int, offset: int, call: int, *shape: int) -> np.ndarray:
    return random_bits.eval(np.array([seed, offset]), call=call, shape=shape)


def test_a_longer_draw_begins_like_a_shorter_one() -> None:
    np.testing.assert_array_equal(draw(5, 1, 2, 1000)[:77], draw(5, 1, 2, 77))
    np.testing.assert_array_equal(draw(5, 1, 2, 10, 8).reshape(-1), draw(5, 1, 2, 80))


def test_offset_and_call_count_together() -> None:
    np.testing.assert_array_equal(draw(5, 1, 2, 64), draw(5, 3, 0, 64))
    np.testing.assert_array_equal(draw(5, -1, 2, 64), draw(5, 1, 0, 64))


def test_seeds_and_calls_give_unrelated_bits() -> None:
    streams = [draw(seed, 0, call, 4096) for seed in (0, 1, 2**32) for call in (0, 1)]
    for position, one in enumerate(streams):
        for other in streams[:position]:
            agreeing = np.unpackbits((~(one ^ other)).view(np.uint8)).mean()
            assert abs(agreeing - 0.5) < 0.01


def test_bits_are_fair_and_uniform() -> None:
    stats = pytest.importorskip("scipy.stats")
    bits = draw(123, 0, 0, 200_000)
    each = np.unpackbits(bits.view(np.uint8).reshape(-1, 4), axis=1).mean(0)
    assert np.abs(each - 0.5).max() < 5 * 0.5 / np.sqrt(bits.size)
    uniform = (bits.view(np.uint32) + 0.5) / 2**32
    assert stats.kstest(uniform, "uniform").pvalue > 1e-3
    assert abs(np.corrcoef(uniform[:-1], uniform[1:])[0, 1]) < 5 / np.sqrt(bits.size)
    assert abs(np.corrcoef(uniform[:-16], uniform[16:])[0, 1]) < 5 / np.sqrt(bits.size)


def test_normal_numbers_are_normal() -> None:
    stats = pytest.importorskip("scipy.stats")
    count = 200_000
    a, b = draw(9, 0, 0, count), draw(9, 0, 1, count)
    numbers = normal_from_bits.eval(a, b, dtype=float64)
    scale = 1 / np.sqrt(count)
    assert abs(numbers.mean()) < 5 * scale
    assert abs(numbers.var() - 1) < 5 * np.sqrt(2) * scale
    assert abs(stats.skew(numbers)) < 5 * np.sqrt(6) * scale
    assert abs(stats.kurtosis(numbers)) < 5 * np.sqrt(24) * scale
    assert stats.kstest(numbers, "norm").pvalue > 1e-3
    assert np.abs(numbers).max() < 6.8


def test_normal_numbers_round_once_to_the_narrower_type() -> None:
    a, b = draw(9, 0, 0, 1000), draw(9, 0, 1, 1000)
    wide = normal_from_bits.eval(a, b, dtype=float64)
    np.testing.assert_array_equal(
        normal_from_bits.eval(a, b, dtype=float32), wide.astype(np.float32)
    )


def test_every_pair_of_bits_gives_a_finite_number() -> None:
    limits = np.iinfo(np.int32)
    corners = np.array([limits.min, -1, 0, 1, limits.max], np.int32)
    numbers = normal_from_bits.eval(corners[:, None], corners, dtype=float32)
    assert np.isfinite(numbers).all()
