"""Files of other programs load, and they read ours."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

import graphc as gc
from graphc import nn, optim
from graphc.errors import CheckpointError
from graphc.frontend.saving.load import load
from graphc.frontend.saving.save import save
from tests.torch_oracle import torch
from tests.unit.frontend.saving.values import same


def test_other_programs_read_the_tensors(tmp_path: Path) -> None:
    model = nn.Linear(2, 3)
    save({"model": model.state_dict()}, tmp_path / "c")
    found = load_file(tmp_path / "c")
    assert sorted(found) == ["model.bias", "model.weight"]
    np.testing.assert_array_equal(found["model.weight"], model.weight.detach().numpy())


def test_a_plain_file_is_a_dict_of_tensors(tmp_path: Path) -> None:
    arrays = {"w": np.arange(6, dtype=np.float16).reshape(2, 3), "b": np.array(True)}
    save_file(arrays, tmp_path / "c")
    for mmap in (False, True):
        found = load(tmp_path / "c", mmap=mmap)
        assert {name: x.numpy().tolist() for name, x in found.items()} == {
            name: x.tolist() for name, x in arrays.items()
        }
        assert found["w"].dtype is gc.float16


@pytest.mark.parametrize("kind", ["u2", "u4", "u8"])
def test_dtypes_that_graphc_lacks_are_refused_by_name(kind: str, tmp_path: Path) -> None:
    save_file({"good": np.zeros(1), "layer.q": np.zeros(2, kind)}, tmp_path / "c")
    with pytest.raises(CheckpointError, match=r"layer\.q is uint"):
        load(tmp_path / "c")


def test_pickles_are_refused_with_advice(tmp_path: Path) -> None:
    np.savez(tmp_path / "zip.npz", a=np.zeros(2))
    (tmp_path / "pickle").write_bytes(pickle.dumps({"a": 1}, protocol=2))
    for name in ("zip.npz", "pickle"):
        with pytest.raises(CheckpointError, match="pickles") as raised:
            load(tmp_path / name)
        assert "safetensors.torch.save_file" in str(raised.value)


def build(of: Any) -> Any:
    return of.Sequential(
        of.Conv2d(1, 2, 3), of.BatchNorm2d(2), of.ReLU(), of.Flatten(), of.Linear(8, 3)
    )


@pytest.mark.parity
def test_a_state_dict_of_pytorch_loads_with_its_report(tmp_path: Path) -> None:
    torch()
    from safetensors.torch import save_file as torch_save_file

    theirs, ours = build(torch().nn), build(nn)
    torch_save_file(theirs.state_dict(), tmp_path / "c")
    state = load(tmp_path / "c")
    assert ours.load_state_dict(state).missing_keys == []
    x = np.linspace(-1, 1, 32, dtype=np.float32).reshape(2, 1, 4, 4)
    expected = theirs.eval()(torch().from_numpy(x)).detach().numpy()
    np.testing.assert_allclose(ours.eval()(gc.tensor(x)).detach().numpy(), expected, rtol=1e-5)
    del state["4.bias"]
    state["head.weight"] = gc.ones(1)
    reports = [
        model.load_state_dict(part, strict=False)
        for model, part in [
            (ours, state),
            (theirs, {name: torch().from_numpy(x.numpy()) for name, x in state.items()}),
        ]
    ]
    for report in reports:
        assert list(report.missing_keys) == ["4.bias"]
        assert list(report.unexpected_keys) == ["head.weight"]
    with pytest.raises(RuntimeError):
        ours.load_state_dict(state)


@pytest.mark.parity
def test_pytorch_loads_a_state_dict_of_ours(tmp_path: Path) -> None:
    torch()
    from safetensors.torch import load_file as torch_load_file

    ours, theirs = build(nn), build(torch().nn)
    save(ours.state_dict(), tmp_path / "c")
    theirs.load_state_dict(torch_load_file(tmp_path / "c"))
    for name, value in theirs.state_dict().items():
        np.testing.assert_array_equal(ours.state_dict()[name].numpy(), value.numpy())


@pytest.mark.parity
@pytest.mark.parametrize(
    "name", "float16 bfloat16 float32 float64 int8 int64 bool complex64".split()
)
def test_dtypes_there_and_back(name: str, tmp_path: Path) -> None:
    torch()
    from safetensors.torch import load_file as torch_load_file
    from safetensors.torch import save_file as torch_save_file

    values = np.array([[0, 1], [2, 3.0]]).astype(getattr(gc, name).numpy)
    save({"x": gc.from_numpy(values)}, tmp_path / "ours")
    theirs = torch_load_file(tmp_path / "ours")
    assert theirs["x"].dtype is getattr(torch(), name)
    torch_save_file(theirs, tmp_path / "theirs")
    assert same(load(tmp_path / "theirs"), load(tmp_path / "ours"))
    assert load(tmp_path / "theirs")["x"].numpy().tobytes() == values.tobytes()


@pytest.mark.parity
def test_tied_weights_that_pytorch_left_out_are_there_again(tmp_path: Path) -> None:
    torch()
    from safetensors.torch import save_model

    of = torch().nn
    model = of.Sequential(of.Linear(3, 3, bias=False), of.Linear(3, 3, bias=False))
    model[1].weight = model[0].weight
    save_model(model, str(tmp_path / "c"))
    found = load(tmp_path / "c")
    assert sorted(found) == ["0.weight", "1.weight"]
    assert found["0.weight"].numpy().tobytes() == found["1.weight"].numpy().tobytes()


@pytest.mark.parity
@pytest.mark.parametrize("kind", ["Adam", "SGD", "LBFGS"])
def test_the_state_of_pytorch_s_optimizers(kind: str, tmp_path: Path) -> None:
    of = torch()
    options = {"momentum": 0.9, "lr": 0.1} if kind == "SGD" else {"lr": 0.1}
    start = np.array([1.0, -2.0], np.float32)

    def steps(p: Any, optimizer: Any, count: int) -> None:
        def closure() -> Any:
            optimizer.zero_grad()
            loss = ((p - 0.5) ** 4).sum()
            loss.backward()
            return loss

        for _ in range(count):
            optimizer.step(closure)

    theirs = of.nn.Parameter(of.from_numpy(start.copy()))
    torch_optimizer = getattr(of.optim, kind)([theirs], **options)
    steps(theirs, torch_optimizer, 3)
    with of.no_grad():
        save({"p": theirs.detach(), "state": torch_optimizer.state_dict()}, tmp_path / "c")
    found = load(tmp_path / "c")
    ours = nn.Parameter(found["p"])
    optimizer = getattr(optim, kind)([ours], **options)
    optimizer.load_state_dict(found["state"])
    steps(theirs, torch_optimizer, 3)
    steps(ours, optimizer, 3)
    np.testing.assert_allclose(ours.detach().numpy(), theirs.detach().numpy(), rtol=1e-5)


def test_bfloat16_of_other_programs(tmp_path: Path) -> None:
    values = np.array([1.5, -2.0], ml_dtypes.bfloat16)
    save_bytes = values.tobytes()
    header = b'{"x":{"dtype":"BF16","shape":[2],"data_offsets":[0,4]}}'
    (tmp_path / "c").write_bytes(len(header).to_bytes(8, "little") + header + save_bytes)
    found = load(tmp_path / "c")["x"]
    assert found.dtype is gc.bfloat16
    assert found.tolist() == [1.5, -2.0]
