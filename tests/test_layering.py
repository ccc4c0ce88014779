"""Imports point one way: core <- {passes, runtime} <- frontend <- the public face.

The rules are read off the source with `ast` (tests/imports.py), and each is shown to catch what
it is for: a rule that lets a planted offence through is no rule.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.imports import Import, cycles, imports, within
from tests.sources import MODULES, ROOT

LAYERS = ("graphc.frontend", "graphc.passes", "graphc.runtime")

# What users import. It re-exports; no layer may import it, so nothing can depend on its order.
PUBLIC = (
    "graphc.__main__",
    "graphc.autograd",
    "graphc.fft",
    "graphc.func",
    "graphc.linalg",
    "graphc.nn",
    "graphc.optim",
    "graphc.random",
    "graphc.signal",
    "graphc.special",
    "graphc.training",
    "graphc.utils",
)

MAY_IMPORT = {
    "core": ("core",),
    "graphc.passes": ("core", "graphc.passes"),
    "graphc.runtime": ("core", "graphc.runtime"),
    "graphc.frontend": ("core", *LAYERS),
    "public": ("core", "public", "graphc.frontend"),
}

# Peers that tests and benchmarks compare with: a program must load without them.
PEERS = ("torch", "jax")

SCRIPTS = [
    path.relative_to(ROOT).as_posix()
    for folder in ("tests", "tools", "benchmarks", "examples")
    for path in sorted((ROOT / folder).rglob("*.py"))
]


def layer(module: str) -> str:
    """Return the layer that a graphc module belongs to."""
    if module == "graphc" or any(within(module, name) for name in PUBLIC):
        return "public"
    return next((name for name in LAYERS if within(module, name)), "core")


def offences(module: str, source: str) -> Iterator[str]:
    """Yield what is wrong with the imports of one graphc module."""
    own = layer(module)
    for one in imports(source):
        for problem in (*bare(one), *misplaced_library(one, module), *misdirected(one, own)):
            yield f"line {one.line}, import of {one.module}: {problem}"


def bare(one: Import) -> Iterator[str]:
    """Forbid every way to reach a source folder but by its installed name."""
    if one.touches("frontend", "passes", "runtime"):
        yield f"write graphc.{one.module}; a bare import loads a second copy"
    if one.module.startswith("."):
        yield "imports are absolute"


def misplaced_library(one: Import, module: str) -> Iterator[str]:
    """Keep the code generator's library in one place, and peers out of every program's start."""
    if one.touches("llvmlite") and not within(module, "graphc.runtime.llvm"):
        yield "llvmlite belongs in graphc.runtime.llvm"
    if one.touches(*PEERS) and not one.local:
        yield "an optional peer loads inside the function that uses it"
    if one.module == "?" and layer(module) != "public":
        yield "a computed import hides what is needed"


def misdirected(one: Import, own: str) -> Iterator[str]:
    """Allow graphc modules only from the layers below, and only where everyone sees them."""
    if not within(one.module, "graphc"):
        return
    if own == "public":
        targets = {layer(path) for path in one.paths}  # `from graphc import nn` names a module
    elif one.module == "graphc":
        yield "the root is above you; import the module that defines the name"
        return
    else:
        targets = {layer(one.module)}
        if one.local:
            yield "an import inside a function hides a cycle"
    for target in sorted(targets - set(MAY_IMPORT[own])):
        yield f"{own} may not import from {target}"


@pytest.mark.parametrize("module", MODULES)
def test_imports_point_one_way(module: str) -> None:
    assert list(offences(module, MODULES[module].read_text())) == []


@pytest.mark.parametrize("path", SCRIPTS)
def test_scripts_import_the_installed_names(path: str) -> None:
    found = [(one.line, why) for one in imports((ROOT / path).read_text()) for why in bare(one)]
    assert found == []


def test_no_module_needs_itself() -> None:
    assert cycles({name: path.read_text() for name, path in MODULES.items()}) == []


def test_every_source_file_is_seen() -> None:
    assert {"graphc.node", "graphc.frontend", "graphc.passes", "graphc.runtime"} <= MODULES.keys()
    assert Path(__file__).relative_to(ROOT).as_posix() in SCRIPTS


PLANTED = [
    ("graphc.node", "import graphc.frontend.tensor"),
    ("graphc.node", "from graphc.passes.fold import fold"),
    ("graphc.ops.math", "from graphc.runtime import plan"),
    ("graphc.graph", "from graphc.nn import Module"),
    ("graphc.graph", "from graphc import types"),
    ("graphc.graph", "import graphc"),
    ("graphc.graph", "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n  import graphc.nn"),
    ("graphc.graph", "def dag():\n  from graphc.text import show"),
    ("graphc.graph", "class A:\n  async def f(self):\n    import graphc.text"),
    ("graphc.graph", "import importlib\nimportlib.import_module('graphc.frontend')"),
    ("graphc.graph", "from importlib import import_module\nimport_module('graphc.' + name)"),
    ("graphc.graph", "from .node import Node"),
    ("graphc.graph", "from llvmlite import ir"),
    ("graphc.graph", "import torch.nn"),
    ("graphc.passes.fold", "from graphc.runtime.plan import Plan"),
    ("graphc.passes.fold", "import passes.rules"),
    ("graphc.runtime.plan", "import graphc.passes"),
    ("graphc.runtime.plan", "from graphc.frontend.tensor import Tensor"),
    ("graphc.runtime.plan", "import llvmlite.binding as llvm"),
    ("graphc.runtime.llvmish", "import llvmlite"),
    ("graphc.frontend.compile.api", "from graphc import Graph"),
    ("graphc.frontend.compile.api", "from graphc.optim import SGD"),
    ("graphc.frontend.compile.api", "from frontend import tensor"),
    ("graphc.nn", "from graphc.passes.fuse import fuse"),
    ("graphc", "from graphc.runtime.sessions.session import Session"),
]

ALLOWED = [
    ("graphc.graph", "from graphc.node import Node\nimport numpy as np"),
    ("graphc.graph", "def dag():\n  import networkx"),
    ("graphc.passes.fold", "from graphc.passes.rules import exact\nfrom graphc.node import Node"),
    ("graphc.runtime.llvm.emit", "from llvmlite import ir\nfrom graphc.node import Node"),
    (
        "graphc.frontend.compile.api",
        "from graphc.runtime.sessions.session import Session\nimport graphc.passes",
    ),
    ("graphc.frontend.numbers", "def to_torch():\n  import torch"),
    ("graphc.nn", "from graphc.frontend.nn.linear import Linear\nfrom graphc.nn import functional"),
    ("graphc", "import importlib\ndef __getattr__(name):\n  importlib.import_module(table[name])"),
    ("graphc", "from graphc import nn\nfrom graphc.errors import GraphcError"),
]


@pytest.mark.parametrize(("module", "source"), PLANTED)
def test_a_planted_offence_is_caught(module: str, source: str) -> None:
    assert len(list(offences(module, source))) == 1


@pytest.mark.parametrize(("module", "source"), ALLOWED)
def test_what_the_design_allows_passes(module: str, source: str) -> None:
    assert list(offences(module, source)) == []


def test_a_planted_cycle_is_caught() -> None:
    chain = {"g.a": "import g.b", "g.b": "from g import c", "g.c": "from g.d import x", "g.d": ""}
    assert cycles(chain) == []
    assert cycles(chain | {"g.d": "from g.b import y"}) == [["g.b", "g.c", "g.d"]]
    assert cycles(chain | {"g.d": "def f():\n  import g.b"}) == []
    assert cycles(chain | {"g.d": "if TYPE_CHECKING:\n  import g.b\nelse:\n  import g.a"}) == [
        ["g.a", "g.b", "g.c", "g.d"]
    ]
