"""Fingerprints: equal for graphs that are built alike, different for any other."""

import subprocess
import sys
from collections.abc import Callable

import numpy as np
import pytest

from graphc.dtypes import float32, float64
from graphc.fingerprint import fingerprint
from graphc.graph import Graph
from graphc.node import Node, constant
from graphc.opdef import OpDef, _registry
from graphc.ops.elementwise import add, mul
from graphc.ops.fused import fused
from graphc.ops.leaf import placeholder, variable
from graphc.ops.reduce import sum_
from graphc.provenance import Origin, made_for
from graphc.storage import Storage
from graphc.types import TensorType

X = placeholder("x", TensorType((2, 3), float32))
Y = placeholder("y", TensorType((2, 3), float32))


def kernel(op: Callable[[Node, Node], Node]) -> Node:
    a, b = (placeholder(name, X.type) for name in ("a0", "a1"))
    return fused((X, Y), Graph((a, b), {"r0": op(a, b)}))


GRAPHS = {
    "add": lambda: Graph((X, Y), {"z": add(X, Y)}),
    "swapped": lambda: Graph((X, Y), {"z": add(Y, X)}),
    "other operation": lambda: Graph((X, Y), {"z": mul(X, Y)}),
    "other name": lambda: Graph((X, Y), {"w": add(X, Y)}),
    "other inputs": lambda: Graph((Y, X), {"z": add(X, Y)}),
    "attribute": lambda: Graph((X,), {"z": sum_(X, dims=(0,))}),
    "other attribute": lambda: Graph((X,), {"z": sum_(X, dims=(1,))}),
    "constant": lambda: Graph((X,), {"z": add(X, constant(np.float32(0.0)))}),
    "negative zero": lambda: Graph((X,), {"z": add(X, constant(np.float32(-0.0)))}),
    "nan": lambda: Graph((X,), {"z": add(X, constant(np.float32(np.nan)))}),
    "dtype": lambda: Graph((), {"z": constant(np.float64(1))}),
    "other dtype": lambda: Graph((), {"z": constant(np.int64(1))}),
    "layout": lambda: Graph((), {"z": constant(np.zeros((2, 3), np.float32))}),
    "other layout": lambda: Graph((), {"z": constant(np.zeros((3, 2), np.float32).T)}),
    "body": lambda: Graph((X, Y), {"z": kernel(add)}),
    "other body": lambda: Graph((X, Y), {"z": kernel(mul)}),
}


def test_only_equal_graphs_have_equal_fingerprints() -> None:
    found = {name: fingerprint(build()) for name, build in GRAPHS.items()}
    assert None not in found.values()
    assert len(set(found.values())) == len(GRAPHS)
    assert found == {name: fingerprint(build()) for name, build in GRAPHS.items()}


def test_large_constants_count_by_content_and_memory_does_not_count() -> None:
    def graph(value: float, memory: float) -> Graph:
        w = variable("w", TensorType((2000,), float64), Storage(np.full(2000, memory)))
        return Graph((), {"y": add(w, constant(np.full(2000, value)))})

    assert fingerprint(graph(1.0, 1.0)) == fingerprint(graph(1.0, 2.0))
    assert fingerprint(graph(1.0, 1.0)) != fingerprint(graph(2.0, 1.0))


def test_the_users_places_do_not_count() -> None:
    x = placeholder("x", TensorType((5, 7), float32))
    graph = Graph((x,), {"y": add(x, x)})
    before = fingerprint(graph)
    with made_for(frozenset((Origin("model.py", 3),))):
        assert add(x, x) is graph.outputs["y"]
    assert fingerprint(graph) == before


def test_an_attribute_without_a_name_gives_none() -> None:
    odd = OpDef("odd", lambda x, thing: x, lambda x, thing: x)
    _registry.pop("odd")
    assert fingerprint(Graph((X,), {"z": odd(X, thing=object())})) is None


PROGRAM = """
import numpy as np
from graphc.dtypes import float32
from graphc.fingerprint import fingerprint
from graphc.graph import Graph
from graphc.node import constant
from graphc.ops.elementwise import add
from graphc.ops.leaf import placeholder
from graphc.types import TensorType
x = placeholder("x", TensorType((2, 3), float32))
print(fingerprint(Graph((x,), {"z": add(x, constant(np.float32(0.1)))})))
"""


@pytest.mark.parametrize("seed", ["1", "2"])
def test_other_processes_agree(seed: str) -> None:
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True,
        env={"PYTHONHASHSEED": seed, "PATH": ""},
    )  # fmt: skip
    first = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert run.stdout == first.stdout != ""
