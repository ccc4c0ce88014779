"""Random values come back as they were, and random bytes are refused in one way."""

from __future__ import annotations

import io
import json
from collections import OrderedDict
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

import graphc as gc
from graphc.dtypes import DTYPES
from graphc.errors import CheckpointError
from graphc.frontend.saving.load import load
from graphc.frontend.saving.save import save
from graphc.frontend.saving.tensor_file import FormatError, read_array, read_header
from tests.unit.frontend.saving.values import same

OTHERS = (
    st.none() | st.text() | st.binary() | st.sampled_from(DTYPES)
    | st.text(st.characters(categories=["Cs", "Ll"]))
)  # fmt: skip
PLAIN = (
    OTHERS | st.booleans() | st.integers() | st.integers().map(lambda n: n**400)
    | st.floats(allow_nan=False)
)  # fmt: skip
KEYS = st.text() | st.integers() | st.none() | st.tuples(st.text(), st.integers())


@st.composite
def tensors(draw: st.DrawFn) -> gc.Tensor:
    """Tensors of any dtype, also views with other strides."""
    dtype = draw(st.sampled_from(DTYPES))
    shape = draw(arrays.array_shapes(min_dims=0, min_side=0, max_side=4))
    data = draw(st.binary(min_size=int(np.prod(shape)), max_size=int(np.prod(shape))))
    array = np.frombuffer(data, np.int8).reshape(shape).astype(dtype.numpy)
    if draw(st.booleans()):
        array = array.T
    if array.ndim and draw(st.booleans()):
        array = array[::-2]
    return gc.from_numpy(np.asarray(array))


VALUES = st.recursive(
    PLAIN | tensors(),
    lambda inside: (
        st.lists(inside, max_size=4)
        | st.lists(inside, max_size=4).map(tuple)
        | st.dictionaries(KEYS, inside, max_size=4)
        | st.dictionaries(KEYS, inside, max_size=4).map(OrderedDict)
    ),
    max_leaves=12,
)


def there_and_back(value: Any) -> Any:
    file = io.BytesIO()
    save(value, file)
    file.seek(0)
    return load(file)


@given(VALUES)
def test_values(value: Any) -> None:
    assert same(there_and_back(value), value)


@given(st.sets(OTHERS))  # among numbers, 1 and True and 1.0 are one element
def test_sets(value: Any) -> None:
    assert same(there_and_back(value), value)
    assert same(there_and_back(frozenset(value)), frozenset(value))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
    | st.sampled_from(["F32", "BF16", "shape", "dtype", "data_offsets", "__metadata__"]),
    lambda inside: st.lists(inside, max_size=4) | st.dictionaries(
        st.sampled_from(["dtype", "shape", "data_offsets", "__metadata__", "a"]), inside, max_size=4
    ),
)  # fmt: skip


def read(data: bytes) -> None:
    """Read everything; a FormatError is right, another error is not."""
    file = io.BytesIO(data)
    try:
        for entry in read_header(file, len(data)).entries:
            read_array(file, entry)
    except FormatError:
        pass


@given(st.binary(max_size=200), st.binary(max_size=20))
def test_bytes_as_header(header: bytes, rest: bytes) -> None:
    read(len(header).to_bytes(8, "little") + header + rest)
    read(header + rest)


@given(JSON, st.binary(max_size=20))
def test_any_json_as_header(header: Any, rest: bytes) -> None:
    text = json.dumps(header).encode()
    read(len(text).to_bytes(8, "little") + text + rest)


@given(
    st.dictionaries(
        st.sampled_from(["format", "version", "structure", "sha256", "a"]),
        st.sampled_from(["graphc checkpoint", "1", "2", "x", "[]", "1.5", ""]),
    )
)
def test_any_metadata(metadata: dict[str, str]) -> None:
    text = json.dumps({"__metadata__": metadata}).encode()
    try:
        found = load(io.BytesIO(len(text).to_bytes(8, "little") + text))
    except CheckpointError:
        return
    assert found == {}, "a file of another program without tensors"
    assert not metadata.keys() & {"structure", "sha256"}
