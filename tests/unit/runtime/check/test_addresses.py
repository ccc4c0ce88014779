"""Buffers near an address: all of those that a search through all buffers finds."""

from hypothesis import given
from hypothesis import strategies as st

from graphc.dtypes import uint8
from graphc.ops.leaf import placeholder
from graphc.runtime.check.addresses import NearBuffers
from graphc.runtime.plan import Buffer
from graphc.types import TensorType

NODE = placeholder("x", TensorType((), uint8))
SPANS = st.tuples(st.integers(0, 9000), st.integers(1, 3000))


@given(st.integers(0, 8000), st.lists(SPANS, max_size=12), st.data())
def test_those_that_overlap_are_found(
    nbytes: int, spans: list[tuple[int, int]], data: st.DataObject
) -> None:
    buffers = [
        Buffer(number, "arena", size, NODE, "", start, None)
        for number, (start, size) in enumerate(spans)
    ]
    near = NearBuffers(nbytes)
    for buffer in buffers:
        near.add(buffer)
        near.add(buffer)
    gone = data.draw(st.sets(st.integers(0, 11)))
    for buffer in buffers:
        if buffer.id in gone:
            near.remove(buffer)
    low, size = data.draw(SPANS)
    found = [buffer.id for buffer in near.near(low, low + size)]
    assert len(found) == len(set(found))
    wanted = {
        buffer.id
        for buffer in buffers
        if buffer.offset < low + size and low < buffer.offset + buffer.nbytes
    }
    assert wanted - gone <= set(found)
    assert gone.isdisjoint(found)
