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


def test_pop_takes_out_one_place() -> None:
    relu, tanh = nn.ReLU(), nn.Tanh()
    for kind in (nn.Sequential(relu, tanh, relu), nn.ModuleList([relu, tanh, relu])):
        assert kind.pop(0) is relu
        assert list(kind) == [tanh, relu]
        assert [name for name, _ in kind.named_children()] == ["0", "1"]
        assert kind.pop() is relu
        with pytest.raises(IndexError):
            kind.pop(1)


def test_sequential_sums_and_repetitions() -> None:
    relu, tanh = nn.ReLU(), nn.Tanh()
    net = nn.Sequential(relu) + nn.Sequential(tanh)
    assert list(net) == [relu, tanh]
    assert list(net * 2) == list(2 * net) == [relu, tanh, relu, tanh]
    net += nn.Sequential(relu)
    assert list(net) == [relu, tanh, relu]
    net *= 2
    assert list(net) == [relu, tanh, relu] * 2
    with pytest.raises(ArgumentError, match="from 1 on"):
        net * 0


def test_parameter_list() -> None:
    weights = nn.ParameterList([gc.ones(2), nn.Parameter([3.0]), "text"])
    assert len(weights) == 3
    assert [name for name, _ in weights.named_parameters()] == ["0", "1"]
    assert isinstance(weights[0], nn.Parameter)
    assert weights[-1] == "text"
    weights.append(gc.zeros(1)).extend([gc.ones(3)])
    weights += [gc.ones(4)]
    assert list(weights.state_dict()) == ["0", "1", "3", "4", "5"]
    assert [tuple(x.shape) for x in weights[3:]] == [(1,), (3,), (4,)]
    weights[0] = gc.ones(7)
    assert weights[0].shape == (7,)
    with pytest.raises(IndexError):
        weights[6]
    with pytest.raises(ArgumentError, match="several"):
        weights.extend(gc.ones(2))


def test_parameter_list_in_a_model() -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.scales = nn.ParameterList([gc.full((2,), 2.0), gc.full((2,), 3.0)])

        def forward(self, x: gc.Tensor) -> gc.Tensor:
            for scale in self.scales:
                x = x * scale
            return x

    net = Net()
    assert list(net.state_dict()) == ["scales.0", "scales.1"]
    assert gc.compile(net)(gc.ones(2)).tolist() == net(gc.ones(2)).tolist() == [6.0, 6.0]


def test_parameter_dict() -> None:
    named = nn.ParameterDict({"b": gc.ones(1), "a": gc.ones(2)})
    assert list(named) == ["a", "b"]  # those of a plain mapping in the order of their names
    named["c"] = gc.ones(3)
    named.update(OrderedDict(e=gc.ones(5), d=gc.ones(4)))
    assert list(named.keys()) == ["a", "b", "c", "e", "d"]
    assert [tuple(x.shape) for x in named.values()] == [(2,), (1,), (3,), (5,), (4,)]
    assert "c" in named
    assert named.pop("c").shape == (3,)
    assert "c" not in named
    assert named.popitem()[0] == "d"
    assert named.get("zz") is None
    assert named.setdefault("f", gc.ones(6)).shape == (6,)
    assert list(reversed(named)) == ["f", "e", "b", "a"]
    joined = named | nn.ParameterDict({"g": gc.ones(7)})
    assert (len(joined), len(named)) == (5, 4)
    named |= {"h": gc.ones(8)}
    assert list(named.state_dict()) == ["a", "b", "e", "f", "h"]
    del named["h"]
    named.clear()
    assert len(named) == len(list(named.parameters())) == 0
    with pytest.raises(KeyError):
        named["a"]
    with pytest.raises(ArgumentError, match="pairs"):
        named.update([("a", gc.ones(1), 2)])


@pytest.mark.parity
def test_texts_of_parameters_are_pytorchs() -> None:
    torch = pytest.importorskip("torch")
    ours = nn.ParameterList([gc.ones(2, 3), "x"])
    theirs = torch.nn.ParameterList([torch.ones(2, 3), "x"])
    assert repr(ours) == repr(theirs).replace("torch.", "graphc.")
