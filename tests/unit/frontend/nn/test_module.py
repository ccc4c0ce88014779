"""Modules find what they own, and behave as PyTorch's do."""

import copy
import pickle

import numpy as np
import pytest

import graphc as gc
from graphc import nn
from graphc.errors import ArgumentError, CheckpointError, DTypeError, RecordingError


class Block(nn.Module):
    def __init__(self, size: int) -> None:
        super().__init__()
        self.fc = nn.Linear(size, size)
        self.norm = nn.BatchNorm1d(size)
        self.scale = nn.Parameter(gc.ones(size))
        self.register_buffer("hidden", gc.zeros(size), persistent=False)
        self.table = nn.Buffer(gc.zeros(2))

    def forward(self, x: gc.Tensor) -> gc.Tensor:
        return self.norm(self.fc(x)) * self.scale


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first = Block(3)
        self.blocks = nn.ModuleList([Block(3), nn.Identity()])
        self.alias = self.first.fc

    def forward(self, x: gc.Tensor) -> gc.Tensor:
        return self.blocks[0](self.first(x))


def test_names_and_order() -> None:
    net = Net()
    assert [name for name, _ in net.named_parameters()] == [
        f"{block}.{name}"
        for block in ("first", "blocks.0")
        for name in ("scale", "fc.weight", "fc.bias", "norm.weight", "norm.bias")
    ]
    assert [name for name, _ in net.named_modules()] == [
        "", "first", "first.fc", "first.norm", "blocks", "blocks.0", "blocks.0.fc",
        "blocks.0.norm", "blocks.1",
    ]  # fmt: skip
    assert [name for name, _ in net.named_children()] == ["first", "blocks", "alias"]
    assert [name for name, _ in net.first.named_buffers()] == [
        "hidden", "table", "norm.running_mean", "norm.running_var", "norm.num_batches_tracked",
    ]  # fmt: skip
    shared = [name for name, _ in net.named_parameters(remove_duplicate=False)]
    assert shared[-2:] == ["alias.weight", "alias.bias"]
    assert [name for name, _ in net.first.named_parameters("p", recurse=False)] == ["p.scale"]


def test_state_dict_has_shared_paths_and_leaves_out_what_is_not_persistent() -> None:
    keys = list(Net().state_dict())
    assert keys[0] == "first.scale"
    assert "alias.weight" in keys
    assert "first.table" in keys
    assert not any(key.endswith("hidden") for key in keys)
    assert list(nn.Linear(1, 1).state_dict(prefix="a.")) == ["a.weight", "a.bias"]


def test_state_dict_shares_memory_and_does_not_require_gradients() -> None:
    layer = nn.Linear(2, 2)
    state = layer.state_dict()
    assert not state["weight"].requires_grad
    state["weight"].zero_()
    assert layer.weight.tolist() == [[0, 0], [0, 0]]


def test_get_by_path() -> None:
    net = Net()
    assert net.get_submodule("") is net
    assert net.get_submodule("blocks.0.fc") is net.blocks[0].fc
    assert net.get_parameter("first.fc.weight") is net.first.fc.weight
    assert net.get_buffer("first.norm.running_var") is net.first.norm.running_var
    for call, path in (
        (net.get_submodule, "first.fcc"), (net.get_parameter, "first.fc.weigth"),
        (net.get_buffer, "first.fc.weight"), (net.get_parameter, "nothing.weight"),
    ):  # fmt: skip
        with pytest.raises(AttributeError):
            call(path)


def test_attributes_move_between_kinds() -> None:
    module = nn.Module()
    module.x = 1
    module.x = nn.Parameter([1.0])
    assert list(module._parameters) == ["x"]
    assert "x" not in module.__dict__
    module.x = nn.Linear(1, 1)
    assert list(module._parameters) == []
    module.x = nn.Buffer([1.0], persistent=False)
    assert list(module._modules) == []
    module.x = gc.tensor([2.0])
    assert list(module._buffers) == ["x"]
    assert module.state_dict() == {}
    del module.x
    assert not hasattr(module, "x")
    module.y = nn.Parameter([1.0])
    module.y = None
    assert module.y is None
    assert list(module.parameters()) == []


def test_wrong_attributes_raise() -> None:
    module = nn.Linear(2, 2)
    with pytest.raises(DTypeError, match="is a parameter"):
        module.weight = gc.zeros(2, 2)
    with pytest.raises(AttributeError, match="no attribute"):
        _ = module.wieght
    with pytest.raises(ArgumentError, match="without a dot"):
        module.register_buffer("a.b", None)
    with pytest.raises(ArgumentError, match="already"):
        module.register_buffer("weight", None)
    with pytest.raises(ArgumentError, match="already"):
        module.register_parameter("forward", None)
    with pytest.raises(DTypeError, match=r"nn\.Module or None"):
        module.add_module("child", gc.zeros(1))

    class Forgetful(nn.Module):
        def __init__(self) -> None:
            self.fc = nn.Linear(1, 1)

    with pytest.raises(ArgumentError, match=r"super\(\).__init__"):
        Forgetful()
    with pytest.raises(NotImplementedError):
        nn.Module()(1)


def test_train_and_eval_reach_all_modules() -> None:
    net = Net()
    assert all(module.training for module in net.modules())
    assert net.eval() is net
    assert not any(module.training for module in net.modules())
    net.train()
    assert net.blocks[0].norm.training
    with pytest.raises(ArgumentError):
        net.train("yes")


def test_apply_runs_children_first() -> None:
    seen: list[str] = []
    nn.Sequential(nn.ReLU(), nn.Tanh()).apply(lambda m: seen.append(type(m).__name__))
    assert seen == ["ReLU", "Tanh", "Sequential"]


def test_zero_grad_and_requires_grad() -> None:
    layer = nn.Linear(2, 1)
    layer(gc.ones(1, 2)).sum().backward()
    layer.zero_grad(set_to_none=False)
    assert layer.weight.grad.tolist() == [[0, 0]]
    layer.zero_grad()
    assert layer.weight.grad is None
    layer.requires_grad_(False)
    assert not layer(gc.ones(1, 2)).requires_grad


def test_to_changes_dtype_in_place_and_leaves_integers() -> None:
    net = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))
    weight, storage = net[0].weight, net[0].weight.storage
    net(gc.ones(2, 2)).sum().backward()
    net.double()
    assert net[0].weight is weight
    assert weight.storage is storage
    assert weight.dtype is weight.grad.dtype is net[1].running_mean.dtype is gc.float64
    assert net[1].num_batches_tracked.dtype is gc.int64
    assert net.float()[0].bias.dtype is gc.float32
    assert net.to(gc.float64)(gc.ones(2, 2, dtype=gc.float64)).dtype is gc.float64
    with pytest.raises(DTypeError):
        net.to(gc.int64)


class TestLoadStateDict:
    def test_copies_in_place_and_casts(self) -> None:
        layer = nn.Linear(2, 1)
        storage = layer.weight.storage
        result = layer.load_state_dict(
            {"weight": np.array([[1.0, 2.0]]), "bias": gc.tensor([3], dtype=gc.int64)}
        )
        assert repr(result) == "<All keys matched successfully>"
        assert layer.weight.storage is storage
        assert layer.weight.dtype is gc.float32
        assert (layer.weight.tolist(), layer.bias.tolist()) == ([[1, 2]], [3])

    def test_reports_all_problems_and_changes_nothing(self) -> None:
        net = nn.Sequential(nn.Linear(2, 1), nn.Linear(1, 1))
        before = [parameter.detach().clone() for parameter in net.parameters()]
        state = dict(nn.Sequential(nn.Linear(2, 1), nn.Linear(1, 2)).state_dict())
        state["0.wieght"] = state.pop("0.weight")
        with pytest.raises(CheckpointError) as caught:
            net.load_state_dict(state)
        text = str(caught.value)
        for part in (
            'Missing key(s) in state_dict: "0.weight".', "did you mean '0.weight'?",
            'Unexpected key(s) in state_dict: "0.wieght".', "size mismatch for 1.weight", "(2, 1)",
            "size mismatch for 1.bias",
        ):  # fmt: skip
            assert part in text
        for old, new in zip(before, net.parameters(), strict=True):
            assert bool((old == new).all())

    def test_not_strict_reports_paths(self) -> None:
        result = nn.Linear(2, 1).load_state_dict({"bias": gc.zeros(1), "x": 1}, strict=False)
        assert result.missing_keys == ["weight"]
        assert result.unexpected_keys == ["x"]
        with pytest.raises(CheckpointError, match="size mismatch"):
            nn.Linear(2, 1).load_state_dict({"bias": gc.zeros(2)}, strict=False)

    def test_refuses_what_is_no_state(self) -> None:
        with pytest.raises(CheckpointError):
            nn.Linear(2, 1).load_state_dict([1, 2])
        with pytest.raises(CheckpointError):
            nn.Linear(1, 1).load_state_dict({"weight": object(), "bias": gc.zeros(1)})


def test_deepcopy_and_pickle_are_independent() -> None:
    net = Net()
    for other in (copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
        assert [n for n, _ in other.named_parameters()] == [n for n, _ in net.named_parameters()]
        assert other.alias.weight is other.first.fc.weight
        x = gc.ones(2, 3)
        assert other.eval()(x).tolist() == net.eval()(x).tolist()
        with gc.no_grad():
            other.first.scale.fill_(5.0)
        assert net.first.scale.tolist() == [1, 1, 1]
        assert other.first.scale.requires_grad
        assert other.first.scale.is_state


def test_parameters_and_buffers() -> None:
    data = gc.zeros(2)
    parameter = nn.Parameter(data)
    data.fill_(1.0)
    assert parameter.tolist() == [1, 1]
    assert repr(parameter) == "Parameter containing:\ntensor([1., 1.], requires_grad=True)"
    assert not nn.Parameter([1.0], requires_grad=False).requires_grad
    assert nn.Parameter(gc.arange(6.0).reshape(2, 3).T).is_contiguous()
    assert type(parameter + 1) is gc.Tensor
    with pytest.raises(gc.GraphcError):
        nn.Parameter(gc.tensor([1, 2]))
    with pytest.raises(ArgumentError, match="device"):
        nn.Linear(1, 1, device="cuda")
    with gc.Graph(), pytest.raises(RecordingError, match="Parameter"):
        nn.Parameter(gc.zeros(2))
    with gc.Graph(), pytest.raises(RecordingError, match="Buffer"):
        nn.Module().register_buffer("x", gc.zeros(2))


def test_a_module_made_while_recording_is_filled_once() -> None:
    with gc.Graph() as graph:
        net = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2), nn.LayerNorm(2))
        net.load_state_dict(nn.Sequential(*map(copy.deepcopy, net)).state_dict())
        nn.init.xavier_uniform_(net[0].weight)
        graph.output(net.eval()(gc.placeholder((4, 3), name="x")), "y")
    assert not graph.updates
    assert net[0].weight.detach().numpy().std() > 0


def test_initialization_of_older_parameters_is_recorded() -> None:
    parameter = nn.Parameter(gc.zeros(3))
    with gc.Graph() as graph:
        nn.init.ones_(parameter)
    assert len(graph.updates) == 1
    assert parameter.tolist() == [0, 0, 0]
