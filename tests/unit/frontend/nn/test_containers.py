"""Containers hold, index and slice modules as PyTorch's do."""

from collections import OrderedDict

import pytest

import graphc as gc
from graphc import nn
from graphc.errors import ArgumentError


def test_sequential_runs_in_order() -> None:
    net = nn.Sequential(nn.ReLU(), nn.Sigmoid())
    x = gc.tensor([-1.0, 1.0])
    assert net(x).tolist() == x.relu().sigmoid().tolist()
    assert nn.Sequential()(x) is x


def test_sequential_indexing() -> None:
    relu, tanh, gelu = nn.ReLU(), nn.Tanh(), nn.GELU()
    net = nn.Sequential(relu, tanh, gelu)
    assert (net[0], net[-1], len(net), list(net)) == (relu, gelu, 3, [relu, tanh, gelu])
    assert list(net[1:]) == [tanh, gelu]
    assert list(net[::-1]) == [gelu, tanh, relu]
    assert isinstance(net[:1], nn.Sequential)
    net[1] = nn.Identity()
    assert isinstance(net[1], nn.Identity)
    del net[0]
    assert next(net.named_children())[0] == "0"
    assert len(net) == 2
    net.append(relu).insert(0, tanh).extend([nn.SiLU()])
    assert [type(m).__name__ for m in net] == ["Tanh", "Identity", "GELU", "ReLU", "SiLU"]
    assert [name for name, _ in net.named_children()] == list("01234")
    with pytest.raises(IndexError):
        net[5]


def test_sequential_with_names() -> None:
    net = nn.Sequential(OrderedDict(first=nn.Linear(2, 3), second=nn.ReLU()))
    assert list(net.state_dict()) == ["first.weight", "first.bias"]
    assert net.first is net[0]
    assert next(net[1:].named_children())[0] == "second"


def test_module_list() -> None:
    layers = nn.ModuleList([nn.Linear(1, 1)])
    layers += [nn.ReLU()]
    layers.append(nn.Tanh())
    assert len(layers) == 3
    assert [type(m).__name__ for m in layers[1:]] == ["ReLU", "Tanh"]
    assert isinstance((layers + nn.ModuleList([nn.GELU()]))[-1], nn.GELU)
    layers.insert(1, nn.Sigmoid())
    del layers[-1]
    assert [type(m).__name__ for m in layers] == ["Linear", "Sigmoid", "ReLU"]
    assert list(layers.state_dict()) == ["0.weight", "0.bias"]
    assert len(nn.ModuleList()) == 0


def test_module_dict() -> None:
    layers = nn.ModuleDict({"a": nn.Linear(1, 1)})
    layers["b"] = nn.ReLU()
    layers.update([("c", nn.Tanh())])
    assert list(layers) == list(layers.keys()) == ["a", "b", "c"]
    assert "b" in layers
    assert [type(m).__name__ for m in layers.values()] == ["Linear", "ReLU", "Tanh"]
    assert isinstance(layers.pop("c"), nn.Tanh)
    del layers["b"]
    assert [name for name, _ in layers.items()] == ["a"]
    assert list(layers.state_dict()) == ["a.weight", "a.bias"]
    layers.clear()
    assert len(layers) == 0
    with pytest.raises(ArgumentError):
        layers.update(["ab", 1])
    with pytest.raises(ArgumentError):
        layers["x.y"] = nn.ReLU()
