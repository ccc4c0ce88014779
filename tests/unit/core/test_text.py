"""The text form: it is stable, reads back to the same nodes, and says what is wrong with it."""

import contextlib
import enum
import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphc import opdef
from graphc.dims import Dim, Size
from graphc.dtypes import DTYPES, as_dtype, float32, float64, from_short, int64
from graphc.errors import ParseError
from graphc.graph import Graph
from graphc.literal import Literal
from graphc.node import Node, constant, make_node
from graphc.opdef import OpDef
from graphc.ops.elementwise import add, exp, mul, neg
from graphc.ops.fused import fused, item
from graphc.ops.leaf import placeholder, size_value, variable
from graphc.ops.reduce import sum_
from graphc.ops.select import cast
from graphc.ops.shape import concat, expand, permute, reshape
from graphc.parse import parse_graph
from graphc.provenance import describe
from graphc.storage import Storage
from graphc.text import constants_of, format_graph, variables_of
from graphc.types import TensorType

N, M = Dim.named("N"), Dim.named("M")


@pytest.fixture
def tagged() -> Iterator[OpDef]:
    """An operation with attributes of any kind, which exists during the test only."""
    op = OpDef("tagged", infer=lambda x, **attrs: x, eval=lambda x, **attrs: x)
    yield op
    del opdef._registry["tagged"]


def again(graph: Graph) -> Graph:
    return parse_graph(
        format_graph(graph), constants=constants_of(graph), variables=variables_of(graph)
    )


def assert_round_trip(graph: Graph) -> None:
    parsed = again(graph)
    assert parsed == graph
    assert str(parsed) == str(graph)


def test_a_whole_program() -> None:
    x = placeholder("x", TensorType((N, 4), float32))
    w = variable("fc.weight", TensorType((4,), float32), Storage(np.zeros(4, np.float32)))
    a0 = placeholder("a0", TensorType((N, 4), float32))
    both = fused((add(x, w),), Graph([a0], {"r0": exp(a0), "r1": sum_(a0, dims=(1,))}))
    total = reshape(sum_(mul(item(both, 0), item(both, 1)), dims=(0, 1)), shape=())
    graph = Graph([x], {"loss": total, "the size": size_value(N * 4)}, {w: neg(w)})
    assert (
        format_graph(graph, locations=False)
        == """\
graph(%x: f32[N,4]) {
  %0: f32[4] = variable name="fc.weight"
  %1: f32[N,4] = add %x, %0
  %2: (f32[N,4], f32[N,1]) = fused %1 body=graph(%a0: f32[N,4]) {
    %0: f32[N,4] = exp %a0
    %1: f32[N,1] = sum %a0 dims=[1]
    return r0=%0, r1=%1
  }
  %3: f32[N,4] = item %2 index=0
  %4: f32[N,1] = item %2 index=1
  %5: f32[N,4] = mul %3, %4
  %6: f32[1,1] = sum %5 dims=[0,1]
  %7: f32[] = reshape %6 shape=()
  %8: i64[] = size size=dim(4*N)
  %9: f32[4] = neg %0
  return loss=%7, "the size"=%8
  update %0 = %9
}"""
    )
    assert_round_trip(graph)


def test_locations_are_comments_on_the_nodes_own_line() -> None:
    x = placeholder("x", TensorType((2,), float32))
    kernel = fused((x,), Graph([x], {"r0": exp(x)}))
    graph = Graph([x], {"y": kernel})
    lines = str(graph).splitlines()
    assert str(graph) == format_graph(graph)
    assert lines[1].endswith(f"{{   # {describe(kernel)}")
    assert "test_text.py:" in lines[1]
    before = describe(kernel)
    assert again(graph) == graph
    assert describe(kernel) == before


ATTRIBUTES: list[Any] = [
    0, -3, 2**70, True, False, None, 0.0, -0.0, 1.0, 0.1, 1e300, 5e-324,
    math.inf, -math.inf, math.nan, "", "plain", 'with "quotes" and \\', "line\nbreak # no comment",
    "ünï ☃ \ud800", "dim", "true", float32, int64, N, N * M - 3, (N + 1) // 2,
    ((N * N + 1) // (M + 2)) * 4, (), (1,), (1, 2), (N, 4), (1.5,), (True, False),
    (1, (2.0, "x", (None,))), ((), ()), (float32, "f32"), TensorType((N, 3), float32),
    TensorType((), int64), (TensorType((1,), float64), 3),
]  # fmt: skip


@pytest.mark.parametrize("value", ATTRIBUTES, ids=repr)
def test_every_kind_of_attribute(tagged: OpDef, value: Any) -> None:
    x = placeholder("x", TensorType((2,), float32))
    assert_round_trip(Graph([x], {"y": tagged(x, value=value, other=(value,), last=1)}))


@pytest.mark.parametrize("dtype", DTYPES, ids=lambda dtype: dtype.name)
@given(data=st.data())
def test_literals_read_back_bit_for_bit(dtype: Any, data: st.DataObject) -> None:
    shape = data.draw(st.sampled_from([(), (1,), (5,), (2, 3), (0,), (2, 0, 3)]))
    count = math.prod(shape)
    if dtype.category == 0:
        array = np.array(data.draw(st.lists(st.booleans(), min_size=count, max_size=count)), bool)
    else:
        size = count * dtype.itemsize
        array = np.frombuffer(data.draw(st.binary(min_size=size, max_size=size)), dtype.numpy)
    graph = Graph([], {"c": constant(array.reshape(shape))})
    assert not constants_of(graph)
    assert_round_trip(graph)


def test_special_numbers() -> None:
    payload = np.array([0x7FC00001, 0xFFC00000], np.uint32).view(np.float32)
    special = np.concatenate([np.float32([np.nan, -0.0, np.inf, 0.1, 1e-45, 16777216]), payload])
    text = format_graph(Graph([], {"c": constant(special)}), locations=False)
    wanted = "{nan, -0.0, inf, 0.1, 1e-45, 1.6777216e+07, nan(0x7fc00001), nan(0xffc00000)}"
    assert wanted in text


def test_large_and_strided_constants_are_named_by_digest() -> None:
    large = constant(np.arange(100.0))
    strided = constant(np.arange(6.0).reshape(2, 3).T)
    spread = constant(np.broadcast_to(np.float32(1), (3,)))
    graph = Graph([], {"a": large, "b": strided, "c": spread})
    found = constants_of(graph)
    assert set(found.values()) == {node.attrs["value"] for node in (large, strided, spread)}
    assert all(f'@"{digest}"' in str(graph) for digest in found)
    assert_round_trip(graph)
    with pytest.raises(ParseError, match="is not in the text"):
        parse_graph(str(graph))
    other = {digest: Literal(np.zeros(3)) for digest in found}
    with pytest.raises(ParseError, match="another type"):
        parse_graph(str(graph), constants=other)


def test_variables_of_one_name_stay_apart() -> None:
    storages = [Storage(np.zeros(2, np.float32)) for _ in range(3)]
    type = TensorType((2,), float32)
    a, b = variable("w", type, storages[0]), variable("w", type, storages[1])
    c = variable("w#2", type, storages[2])
    graph = Graph([], {"y": add(add(a, b), c)}, {a: b})
    assert list(variables_of(graph).values()) == storages
    assert len(variables_of(graph)) == 3
    assert_round_trip(graph)


def test_variables_inside_kernels_are_found() -> None:
    w = variable("w", TensorType((2,), float32), Storage(np.zeros(2, np.float32)))
    graph = Graph([], {"y": fused((), Graph([], {"r0": exp(w)}))})
    assert list(variables_of(graph)) == ["w"]
    assert_round_trip(graph)


def test_names_of_all_kinds() -> None:
    type = TensorType((2,), float32)
    names = ["x", "x.y", "0", "input ids", 'a"b', "return", "ü", "update"]
    inputs = [placeholder(name, type) for name in names]
    graph = Graph(inputs, {name: neg(x) for name, x in zip(names, inputs, strict=True)})
    assert_round_trip(graph)


def test_an_update_after_a_node_without_operands() -> None:
    w = variable("w", TensorType((2,), float32), Storage(np.zeros(2, np.float32)))
    assert_round_trip(Graph([], {}, {w: w}))
    assert format_graph(Graph()) == "graph() {\n}"
    assert_round_trip(Graph())


def test_values_without_text_are_shown_but_not_read(tagged: OpDef) -> None:
    class Color(enum.IntEnum):
        RED = 1

    x = placeholder("x", TensorType((2,), float32))
    graph = Graph([x], {"y": tagged(x, color=Color.RED)})
    assert "color=<Color>" in str(graph)
    with pytest.raises(ParseError, match="line 2: this value has no text form"):
        parse_graph(str(graph))


SIZES = st.sampled_from([2, 3, N, M])


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    """Programs of elementwise operations, reductions, views, kernels and updates."""
    shape: tuple[Size, ...] = tuple(draw(st.lists(SIZES, min_size=1, max_size=3)))
    type = TensorType(shape, draw(st.sampled_from([float32, float64])))
    inputs = [placeholder(f"x{i}", type) for i in range(draw(st.integers(1, 2)))]
    sources = [Storage(np.zeros(1)) for _ in range(2)]
    variables = [variable(f"v{i}", type, source) for i, source in enumerate(sources)]
    values: list[Node] = [*inputs, *variables]
    for _ in range(draw(st.integers(0, 12))):
        values.append(draw(steps(values)))
    outputs = draw(st.dictionaries(st.text(max_size=4), st.sampled_from(values), max_size=3))
    updates = draw(st.dictionaries(st.sampled_from(variables), st.sampled_from(values)))
    return Graph(inputs, outputs, updates)


@st.composite
def steps(draw: st.DrawFn, values: list[Node]) -> Node:
    """One node of the type of the values, made of some of them."""
    a, b = draw(st.sampled_from(values)), draw(st.sampled_from(values))
    kind = draw(st.sampled_from(["mul", "constant", "sum", "permute", "cast", "concat", "fused"]))
    number = draw(st.floats(width=32))
    dims = tuple(range(a.type.rank))
    match kind:
        case "mul":
            return mul(a, b)
        case "constant":
            return add(a, constant(np.asarray(number, a.type.dtype.numpy)))
        case "sum":
            return expand(sum_(a, dims=dims[1:]), shape=a.type.shape)
        case "permute":
            return permute(permute(a, dims=dims[::-1]), dims=dims[::-1])
        case "cast":
            return cast(cast(a, dtype=draw(st.sampled_from(DTYPES))), dtype=a.type.dtype)
        case "concat":
            flat = reshape(concat(a, b, dim=0), shape=(a.type.numel * 2,))
            return add(a, reshape(sum_(flat, dims=(0,)), shape=()))
        case _:
            a0, a1 = placeholder("a0", a.type), placeholder("a1", b.type)
            body = Graph([a0, a1], {"r0": mul(a0, exp(a1)), "r1": a1})
            return item(fused((a, b), body), draw(st.integers(0, 1)))


@given(graphs())
def test_random_graphs_round_trip(graph: Graph) -> None:
    assert_round_trip(graph)


@given(graphs(), st.data())
def test_damaged_text_raises_a_parse_error_or_reads_as_some_graph(
    graph: Graph, data: st.DataObject
) -> None:
    text = format_graph(graph, locations=False)
    start = data.draw(st.integers(0, len(text)))
    stop = data.draw(st.integers(start, min(len(text), start + 6)))
    damaged = (
        text[:start] + data.draw(st.sampled_from(["", "(", "%0", "1", " x ", "\n"])) + text[stop:]
    )
    with contextlib.suppress(ParseError):  # any other exception is a defect
        assert_round_trip(parse_graph(damaged, variables=variables_of(graph)))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "line 1: unexpected the end of the text\n  expected: graph"),
        ("graph(%x: f32[2]) {", "unexpected the end of the text"),
        ("graph() {} }", "line 1: unexpected '}'\n  expected: end"),
        ("graph(%x: f31[2]) {}", "unexpected 'f31'\n  expected: a dtype: bool, u8"),
        ("graph(%x: f32[2], %x: f32[2]) {}", "%x is defined twice"),
        ("graph(%x: f32[2]) {\n\n  return y=%z }", "line 3: %z is not defined above"),
        ("graph(%xy: f32[2]) { return y=%xz }", "did you mean '%xy'?"),
        ("graph(%x: f32[2]) { %0: f32[2] = epx %x }", "'epx'\n  fix: did you mean 'exp'?"),
        ("graph(%x: f32[2]) {\n%0: f32[3] = exp %x\n\n}", "line 2: exp has another type\n  got"),
        ("graph(%x: i32[2]) {\n%0: i32[2] = exp %x\n}", "line 2: exp does not accept"),
        ("graph(%x: f32[2]) { %0: f32[2] = sum %x }", "sum does not accept"),
        ("graph(%x: f32[2]) { %0: f32[2] = sum %x dims=[0] dims=[0] }", "dims is given twice"),
        ("graph(%x: f32[2]) { return y=%x, y=%x }", "two outputs are called 'y'"),
        ("graph(%x: f32[2]) { update %x = %x update %x = %x }", "%x is updated twice"),
        ('graph() { %0: f32[2] = variable name="w" }', "nothing is given for variable 'w'"),
        ("graph() { %0: u8[] = constant value=u8[]{256} }", "256 is no uint8\n  expected: 0..255"),
        ("graph() { %0: u8[] = constant value=u8[]{1.5} }", "1.5 is no uint8"),
        ("graph() { %0: u8[2] = constant value=u8[2]{1} }", "u8[2] has 2 elements\n  got: 1"),
        ("graph() { %0: u8[N] = constant value=u8[N]{1} }", "a literal needs a fixed shape"),
        ("graph() { %0: bool[] = constant value=bool[]{1} }", "expected: true or false"),
        ("graph() { %0: f16[] = constant value=f16[]{nan(0x7fc00001)} }", "more bits than float16"),
        ("graph(%x: f32[N//2]) {}", "unexpected '//'"),
        ("graph(%x: f32[(N)//(0)]) {}", "divided by zero"),
        ("graph(%x: f32[a.b]) {}", "bad size 'a.b'"),
        ("graph(%x: f32[2]) { & }", "line 1: unexpected character\n  got: '&'"),
        ('graph(%x: f32[2]) { return "\\q"=%x }', "a string that is not well formed"),
        ("graph(%x: f32[2]) { x }", "unexpected 'x'\n  expected: %name, return, update or }"),
        ("graph(%x: f32[2]) { %0: f32[2] = exp %x dims=- }", "expected: a value"),
    ],
)  # fmt: skip
def test_what_is_wrong(text: str, message: str) -> None:
    with pytest.raises(ParseError) as caught:
        parse_graph(text)
    assert message in str(caught.value)


def test_layout_and_comments_do_not_matter() -> None:
    text = "graph(%x:f32[2])   # first\n{%0:f32[2]=exp %x%1:f32[2]=neg %0 # c\r\n\treturn y=%1}"
    x = placeholder("x", TensorType((2,), float32))
    assert parse_graph(text) == Graph([x], {"y": neg(exp(x))})


def test_a_numpy_float_attribute_reads_as_a_float(tagged: OpDef) -> None:
    x = placeholder("x", TensorType((2,), as_dtype("float32")))
    node = make_node(tagged, (x,), {"value": np.float64(0.1)})
    assert "value=0.1" in format_graph(Graph([x], {"y": node}))
    assert_round_trip(Graph([x], {"y": node}))
    assert from_short("f32") is float32
