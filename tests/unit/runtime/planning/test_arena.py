"""Offsets: no overlap, near the lower bound."""

from hypothesis import given
from hypothesis import strategies as st

from graphc.runtime.plan import ALIGNMENT
from graphc.runtime.planning.arena import Block, lower_bound, pack

blocks = st.lists(
    st.builds(
        lambda nbytes, start, length: Block(nbytes, start, start + length),
        st.integers(0, 1000), st.integers(0, 20), st.integers(0, 8),
    ),
    max_size=25,
)  # fmt: skip


@given(blocks)
def test_blocks_that_live_together_are_apart(given_blocks: list[Block]) -> None:
    offsets, total = pack(given_blocks)
    placed = list(zip(given_blocks, offsets, strict=True))
    for position, (one, low) in enumerate(placed):
        assert low % ALIGNMENT == 0
        assert low + one.nbytes <= total
        for other, start in placed[:position]:
            together = one.start <= other.stop and other.start <= one.stop
            overlap = max(low, start) < min(low + one.nbytes, start + other.nbytes)
            assert not (together and overlap)
    assert lower_bound(given_blocks) <= total <= sum(block.padded for block in given_blocks)


@given(blocks)
def test_the_lower_bound_is_the_most_live_at_a_step(given_blocks: list[Block]) -> None:
    most = max(
        (sum(b.padded for b in given_blocks if b.start <= t <= b.stop) for t in range(30)),
        default=0,
    )
    assert lower_bound(given_blocks) == most


def test_a_chain_needs_two_blocks() -> None:
    chain = [Block(64, k, k + 1) for k in range(10)]
    assert pack(chain)[1] == 128


def test_a_block_goes_into_the_smallest_gap_that_fits() -> None:
    around = [Block(640, 0, 9), Block(256, 0, 3), Block(640, 0, 9), Block(128, 0, 3)]
    later = Block(128, 5, 9)
    offsets, total = pack([*around, later])
    assert total == lower_bound([*around, later]) == 640 + 256 + 640 + 128
    assert offsets[4] + 128 <= total


def test_nothing_needs_nothing() -> None:
    assert pack([]) == ([], 0)
