"""Modules print as PyTorch's do."""

from collections.abc import Callable
from typing import Any

import pytest

from graphc import nn

MAKERS: dict[str, Callable[[Any], Any]] = {
    "linear": lambda n: n.Linear(2, 3, bias=False),
    "embedding": lambda n: n.Embedding(5, 3, padding_idx=-1),
    "embedding_plain": lambda n: n.Embedding(5, 3),
    "relu": lambda n: n.Sequential(n.ReLU(), n.ReLU(inplace=True)),
    "gelu": lambda n: n.Sequential(n.GELU(), n.GELU("tanh")),
    "others": lambda n: n.Sequential(
        n.SiLU(), n.SiLU(True), n.Sigmoid(), n.Tanh(), n.LogSigmoid(), n.Softplus(), n.Identity(),
        n.Softplus(2.0, 10.0), n.LeakyReLU(), n.LeakyReLU(0.2, True),
    ),
    "softmax": lambda n: n.Sequential(n.Softmax(1), n.LogSoftmax(dim=-1), n.Softmax()),
    "dropout": lambda n: n.Dropout(0.25, inplace=True),
    "batch_norm": lambda n: n.BatchNorm1d(3, momentum=None, track_running_stats=False),
    "layer_norm": lambda n: n.Sequential(n.LayerNorm(3), n.LayerNorm([2, 3], bias=False)),
    "flatten": lambda n: n.Flatten(0, 1),
    "losses": lambda n: n.ModuleList(
        [n.MSELoss(), n.L1Loss(), n.CrossEntropyLoss(), n.NLLLoss(), n.BCEWithLogitsLoss()]
    ),
    "empty": lambda n: n.ModuleDict({"a": n.Sequential(), "b": n.ModuleList(), "c": n.Module()}),
    "nested": lambda n: n.Sequential(
        n.ModuleDict({"x": n.Sequential(n.Linear(1, 1), n.Tanh())}),
        n.ModuleList([n.Sequential(n.ReLU(), n.ReLU()) for _ in range(3)] + [n.Linear(1, 2)]),
    ),
}  # fmt: skip


@pytest.mark.parity
@pytest.mark.parametrize("name", MAKERS)
def test_text_is_pytorchs(name: str) -> None:
    torch = pytest.importorskip("torch")
    assert repr(MAKERS[name](nn)) == repr(MAKERS[name](torch.nn))


def test_several_lines_of_own_text() -> None:
    class Wordy(nn.Module):
        def extra_repr(self) -> str:
            return "one\ntwo"

    assert repr(nn.Sequential(Wordy())) == ("Sequential(\n  (0): Wordy(\n    one\n    two\n  )\n)")
