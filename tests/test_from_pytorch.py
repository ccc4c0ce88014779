"""docs/from-pytorch.md: the port is what its table makes of the script, and learns the same."""

import contextlib
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import graphc as gc
from tests.documents import Document, comparable
from tests.sources import ROOT

PAGE = Document(ROOT / "docs" / "from-pytorch.md")
COMPILED = "torch.compile("


def block(info: str) -> str:
    (text,) = (block.text for block in PAGE.blocks if block.info == info)
    return text


def replaced(script: str, changes: list[tuple[str, str]]) -> str:
    """The script with each text, which must stand there once, as its replacement."""
    for old, new in changes:
        assert script.count(old) == 1, f"this stands there {script.count(old)} times: {old}"
        script = script.replace(old, new)
    return script


def port(*, compiled: bool) -> str:
    changes = []
    for old, new in PAGE.table("## A script and its port"):
        if compiled or COMPILED not in new:
            changes.append((f"{old}\n", f"{new}\n"))
    return replaced(block("python torch"), changes)


def run(script: str, **names: Any) -> tuple[list[float], str]:
    """The losses of the script's ``main``, and what it prints."""
    namespace: dict[str, Any] = names
    printed = io.StringIO()
    with contextlib.chdir(ROOT), contextlib.redirect_stdout(printed):
        exec(compile(script, "script.py", "exec"), namespace)
        losses = namespace["main"]()
    return losses, printed.getvalue()


def test_the_port_changes_imports_and_one_line() -> None:
    changed = [old for old, _ in PAGE.table("## A script and its port")]
    others = [line for line in changed if not line.startswith(("import ", "from "))]
    assert len(others) == 1
    assert set(port(compiled=True).splitlines()) - set(port(compiled=False).splitlines()) == {
        "    step = torch.compile(make_step(model, optimizer))"
    }
    assert "import torch" not in port(compiled=False)


@pytest.mark.parametrize("compiled", [False, True])
def test_the_port_prints_what_the_page_shows(compiled: bool) -> None:
    """Operation by operation a narrower net prints the same lines in a third of the time."""
    narrower = [] if compiled else [("width=16", "width=6")]
    _, printed = run(replaced(port(compiled=compiled), narrower))
    assert comparable(printed, "text measured") == comparable(block("text port"), "text measured")
    assert float(printed.split()[-1]) > 0.9


def without_chance(script: str) -> str:
    """The script without random numbers, in float64, of few digits, from ``start``'s weights."""
    return replaced(
        script,
        [
            ("nn.Dropout(0.1)", "nn.Dropout(0.0)"),
            ("shuffle=True", "shuffle=False"),
            (".float()", ".double()"),
            ("random_split(digits, [0.8, 0.2])", "split(digits)"),
            ("model = Net()", "model = start(Net().double())"),
        ],
    )


@pytest.mark.parity
@pytest.mark.parametrize("compiled", [False, True])
def test_both_sides_learn_the_same(compiled: bool) -> None:
    torch = pytest.importorskip("torch")
    weights: dict[str, Any] = {}

    def keep(model: Any) -> Any:
        weights.update({name: value.numpy().copy() for name, value in model.state_dict().items()})
        return model

    def take(model: Any) -> Any:
        model.load_state_dict({name: gc.tensor(value) for name, value in weights.items()})
        return model

    def split(subset: Callable[..., Any]) -> Callable[[Any], Any]:
        return lambda data: (subset(data, range(400)), subset(data, range(400, 500)))

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        expected, shown = run(
            without_chance(block("python torch")), start=keep, split=split(torch.utils.data.Subset)
        )
    finally:
        torch.set_num_threads(threads)
    actual, printed = run(
        without_chance(port(compiled=compiled)), start=take, split=split(gc.utils.data.Subset)
    )
    np.testing.assert_allclose(actual, expected, rtol=1e-7)
    assert printed == shown


@pytest.mark.parity
def test_weights_go_both_ways(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")

    def network(nn: Any) -> Any:
        return nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.LSTM(4, 3))

    torch_model, model = network(torch.nn), network(gc.nn)
    before = {name: value.numpy().copy() for name, value in torch_model.state_dict().items()}
    printed = io.StringIO()
    with contextlib.chdir(tmp_path), contextlib.redirect_stdout(printed):
        exec(block("python weights"), {"torch_model": torch_model, "model": model, "gc": gc})
    assert printed.getvalue() == 2 * "<All keys matched successfully>\n"
    for state in (torch_model.state_dict(), model.state_dict()):
        assert state.keys() == before.keys()
        for name, value in state.items():
            np.testing.assert_array_equal(value.numpy(), before[name])
