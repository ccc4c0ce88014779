"""States of modules: versions, hooks, extra state, assigned tensors, all or nothing."""

import copy
import pickle
import re
from collections import OrderedDict
from typing import Any

import numpy as np
import pytest

import graphc as gc
from graphc import nn
from graphc.errors import ArgumentError, ArgumentTypeError, CheckpointError


class Counter(nn.Module):
    """Has extra state, and a state whose form has changed."""

    _version = 3

    def __init__(self) -> None:
        super().__init__()
        self.count = 0
        self.scale = nn.Parameter([1.0])

    def get_extra_state(self) -> Any:
        return {"count": self.count}

    def set_extra_state(self, state: Any) -> None:
        self.count = state["count"]

    def _load_from_state_dict(
        self, state_dict: Any, prefix: str, local_metadata: Any, *rest: Any
    ) -> None:  # fmt: skip
        if local_metadata.get("version", 1) < 3 and f"{prefix}factor" in state_dict:
            state_dict[f"{prefix}scale"] = state_dict.pop(f"{prefix}factor")
        super()._load_from_state_dict(state_dict, prefix, local_metadata, *rest)


class Tied(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.table = nn.Embedding(4, 3)
        self.out = nn.Linear(3, 4, bias=False)
        self.out.weight = self.table.weight


def test_versions_and_extra_state_travel() -> None:
    net = nn.Sequential(Counter(), nn.BatchNorm1d(1))
    net[0].count = 7
    state = net.state_dict()
    assert isinstance(state, OrderedDict)
    assert list(state)[:2] == ["0.scale", "0._extra_state"]
    assert state._metadata == {"": {"version": 1}, "0": {"version": 3}, "1": {"version": 2}}
    other = nn.Sequential(Counter(), nn.BatchNorm1d(1))
    other.load_state_dict(pickle.loads(pickle.dumps(state)))
    assert other[0].count == 7
    older = OrderedDict((key.replace("scale", "factor"), x) for key, x in state.items())
    older["0.factor"] = np.array([5.0])
    other.load_state_dict(older)
    assert other[0].scale.tolist() == [5]
    older._metadata = state._metadata
    with pytest.raises(CheckpointError, match=r'Missing key.*"0\.scale"[^$]*'):
        other.load_state_dict(older)
    plain = nn.Module()
    for call in (plain.get_extra_state, lambda: plain.set_extra_state(1)):
        with pytest.raises(RuntimeError, match="does not define"):
            call()
    without = {key: x for key, x in state.items() if "extra" not in key}
    assert net.load_state_dict(without, strict=False).missing_keys == ["0._extra_state"]
    found = nn.Linear(1, 1).load_state_dict({"_extra_state": 1}, strict=False)
    assert found.unexpected_keys == ["_extra_state"]


def test_batch_norms_of_version_1_have_no_count() -> None:
    norm = nn.BatchNorm1d(2)
    norm.num_batches_tracked.fill_(5)
    state = norm.state_dict()
    del state["num_batches_tracked"]
    with pytest.raises(CheckpointError, match="num_batches_tracked"):
        norm.load_state_dict(state)
    state._metadata[""]["version"] = 1
    assert str(norm.load_state_dict(state)) == "<All keys matched successfully>"
    assert norm.num_batches_tracked.item() == 5
    norm.load_state_dict(dict(state))


def test_destination_prefix_and_keep_vars() -> None:
    layer = nn.Linear(2, 1)
    found: dict[str, Any] = {}
    assert layer.state_dict(destination=found, prefix="a.", keep_vars=True) is found
    assert found["a.weight"] is layer.weight
    with pytest.warns(FutureWarning, match="keyword"):
        again = layer.state_dict({}, "b.", True)
    assert again["b.bias"] is layer.bias


def test_hooks_of_states() -> None:
    net, seen = nn.Sequential(nn.Linear(1, 1)), []
    net[0].register_state_dict_pre_hook(lambda m, prefix, keep: seen.append((prefix, keep)))
    post = net[0].register_state_dict_post_hook(
        lambda m, state, prefix, meta: state.update({f"{prefix}more": gc.ones(1)})
    )
    state = net.state_dict()
    assert seen == [("0.", False)]
    assert list(state) == ["0.weight", "0.bias", "0.more"]

    def rename(m: Any, state: Any, prefix: str, meta: Any, strict: bool, *lists: Any) -> None:
        assert (strict, [len(each) for each in lists]) == (True, [0, 0, 0])
        state.pop(f"{prefix}more")
        seen.append(meta)

    handle = net[0].register_load_state_dict_pre_hook(rename)
    net.load_state_dict(state)
    assert seen[1:] == [{"version": 1}]
    handle.remove()
    after = net.register_load_state_dict_post_hook(lambda m, keys: keys.unexpected_keys.clear())
    net.load_state_dict(state)
    after.remove()
    with pytest.raises(CheckpointError, match=r'Unexpected key\(s\) in state_dict: "0.more"'):
        net.load_state_dict(state)
    post.remove()
    net[0].register_state_dict_post_hook(lambda m, state, prefix, meta: state)
    with pytest.raises(ArgumentError, match="None"):
        net.state_dict()
    net = nn.Sequential(nn.Linear(1, 1))
    net._register_state_dict_hook(lambda m, state, prefix, meta: {"other": 1})
    assert net.state_dict() == {"other": 1}
    net._register_load_state_dict_pre_hook(lambda state, *rest: state.update(state.pop("all")))
    net.load_state_dict({"all": {"0.weight": gc.ones(1, 1), "0.bias": gc.zeros(1)}})
    assert net[0].weight.tolist() == [[1]]


def test_assigned_tensors_are_the_states() -> None:
    layer = nn.BatchNorm1d(2)
    layer.bias.requires_grad_(False)
    state = layer.state_dict()
    state["weight"] = gc.tensor([3.0, 4.0], dtype=gc.float64)
    state["bias"] = nn.Parameter([1.0, 2.0])
    state["running_var"] = gc.tensor([5.0, 6.0])
    layer.load_state_dict(state, assign=True)
    assert layer.weight.dtype is gc.float64
    assert isinstance(layer.weight, nn.Parameter)
    assert layer.weight.storage is state["weight"].storage
    assert layer.bias is state["bias"]
    assert not layer.bias.requires_grad
    assert layer.running_var is state["running_var"]
    with pytest.raises(CheckpointError, match="size mismatch"):
        layer.load_state_dict({**state, "running_mean": gc.zeros(3)}, assign=True)
    other = nn.BatchNorm1d(2)
    kept = other.weight
    other.load_state_dict(state)  # the same state, and nothing is assigned now
    assert other.weight is kept
    assert kept.tolist() == [3, 4]


def test_errors_take_everything_back() -> None:
    net = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2), nn.LazyLinear(3))
    before = {key: x.numpy().copy() for key, x in net[:2].state_dict().items()}
    kept = dict(net.named_parameters())
    state = {
        **{key: gc.full(x.shape, 9.0) for key, x in before.items()},
        "2.weight": gc.zeros(3, 2), "2.bias": gc.zeros(4),
    }  # fmt: skip
    state["1.num_batches_tracked"] = gc.tensor(9)
    for assign in (False, True):
        with pytest.raises(CheckpointError):
            net.load_state_dict({**state, "other": gc.ones(1)}, assign=assign)
        for key, x in net[:2].state_dict().items():
            np.testing.assert_array_equal(x.numpy(), before[key])
        assert all(x is kept[key] for key, x in net.named_parameters())
        assert nn.parameter.is_lazy(net[2].weight)

    def fails(*_: Any) -> None:
        raise OverflowError

    net[1].register_load_state_dict_post_hook(fails)
    with pytest.raises(OverflowError):
        net.load_state_dict(state, strict=False)
    np.testing.assert_array_equal(net[0].weight.detach().numpy(), before["0.weight"])


def test_values_that_are_none() -> None:
    layer = nn.Linear(1, 1)
    with pytest.raises(CheckpointError, match='parameter named "weight", expected a tensor'):
        layer.load_state_dict({"weight": "x", "bias": gc.zeros(1)})
    with pytest.raises(TypeError):
        layer.load_state_dict([1])
    single = nn.Module()
    single.scale = nn.Parameter(1.0)
    single.load_state_dict({"scale": gc.tensor([4.0])})
    assert single.scale.item() == 4


def test_a_compiled_step_sees_what_was_loaded() -> None:
    layer = nn.Linear(2, 1)
    run = gc.compile(lambda x: layer(x))
    x = gc.ones(2)
    run(x)
    state = {"weight": gc.tensor([[1.0, 2.0]]), "bias": gc.tensor([3.0])}
    layer.load_state_dict(state)
    assert run(x).tolist() == [6]
    assert run.cache_info().misses == 1
    state["weight"].mul_(10)
    layer.load_state_dict(state, assign=True)
    assert run(x).tolist() == [33]


def test_tied_weights_are_counted_once_and_stay_tied() -> None:
    net = Tied()
    assert [name for name, _ in net.named_parameters()] == ["table.weight"]
    assert len(list(net.named_parameters(remove_duplicate=False))) == 2
    assert list(net.state_dict()) == ["table.weight", "out.weight"]
    assert len(gc.optim.Adam(net.parameters()).param_groups[0]["params"]) == 1
    for other in (copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
        assert other.out.weight is other.table.weight
        assert other.table.weight is not net.table.weight
    shallow = copy.copy(net)
    assert shallow.table is net.table
    net.half()
    assert net.out.weight is net.table.weight
    assert net.out.weight.dtype is gc.float16
    net.load_state_dict({"table.weight": np.ones((4, 3)), "out.weight": np.full((4, 3), 2.0)})
    assert net.table.weight.detach().numpy().min() == 2


def test_optimizers_travel_with_their_modules() -> None:
    net = nn.Linear(2, 1)
    optimizer = gc.optim.Adam(net.parameters(), 0.1)

    def step(net: nn.Module, optimizer: Any) -> float:
        optimizer.zero_grad()
        loss = net(gc.ones(2)).sum()
        loss.backward()
        optimizer.step()
        return float(loss.item())

    step(net, optimizer)
    for pair in (
        pickle.loads(pickle.dumps((net, optimizer))), copy.deepcopy((net, optimizer)),
    ):  # fmt: skip
        assert pair[1].param_groups[0]["params"][0] is pair[0].weight
        twin = copy.deepcopy((net, optimizer))
        assert [step(*pair) for _ in range(3)] == [step(*twin) for _ in range(3)]


MISMATCHED = {
    "missing": lambda lib, s: s.pop("0.weight"),
    "unexpected": lambda lib, s: s.update(other=lib.zeros(1)),
    "unexpected below": lambda lib, s: s.update({"0.x": lib.zeros(1), "5.y": lib.zeros(1)}),
    "size": lambda lib, s: s.update({"0.bias": lib.zeros(3)}),
    "all": lambda lib, s: s.update(
        {"0.bias": lib.zeros(3), "z": lib.zeros(1), "1.w": s.pop("1.weight")}
    ),
    "fine": lambda lib, s: None,
}  # fmt: skip


@pytest.mark.parity
@pytest.mark.parametrize("name", MISMATCHED)
def test_reports_are_pytorchs(name: str) -> None:
    torch = pytest.importorskip("torch")

    def plain(error: Exception) -> str:
        """The message without graphc's hints, with shapes as tuples."""
        text = re.sub(r"torch.Size\(\[(\d)\]\)", r"(\1,)", str(error))
        return re.sub(r"\n  (fix|created).*", "", text)

    def run(lib: Any, n: Any) -> tuple[str, Any]:
        net = n.Sequential(n.Linear(2, 2), n.BatchNorm1d(2))
        state = net.state_dict()
        MISMATCHED[name](lib, state)
        try:
            found = net.load_state_dict(state, strict=False)
            keys = [list(found.missing_keys), list(found.unexpected_keys)]
        except RuntimeError as error:
            keys = [plain(error)]
        try:
            text = str(net.load_state_dict(state))
        except RuntimeError as error:
            text = plain(error)
        return text, keys

    (ours, our_keys), (theirs, their_keys) = run(gc, nn), run(torch, torch.nn)
    assert ours == theirs
    assert our_keys == their_keys


def test_set_submodule() -> None:
    net = nn.Sequential(nn.Linear(1, 1), nn.Sequential(nn.ReLU()))
    net.set_submodule("1.0", nn.Tanh())
    assert isinstance(net[1][0], nn.Tanh)
    net.set_submodule("1.more", nn.Tanh())
    assert isinstance(net.get_submodule("1.more"), nn.Tanh)
    with pytest.raises(AttributeError, match="other"):
        net.set_submodule("1.other", nn.Tanh(), strict=True)
    with pytest.raises(AttributeError):
        net.set_submodule("0.weight", nn.Tanh())
    with pytest.raises(AttributeError):
        net.set_submodule("7.weight", nn.Tanh())
    for target, module in (("", nn.Tanh()), ("0", "x")):
        with pytest.raises(ValueError, match="set_submodule"):
            net.set_submodule(target, module)


def test_conversions_in_all_forms() -> None:
    def net() -> nn.Module:
        return nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))

    def kinds(module: nn.Module) -> set[str]:
        return {x.dtype.name for x in module.state_dict().values()}

    for convert in (
        lambda m: m.to(gc.float64), lambda m: m.to("cpu", gc.float64), lambda m: m.double(),
        lambda m: m.to(gc.zeros(1, dtype=gc.float64)), lambda m: m.to(dtype=gc.float64),
        lambda m: m.to(device="cpu", dtype="float64", non_blocking=True),
        lambda m: m.to(tensor=gc.zeros(1, dtype=gc.float64)),
    ):  # fmt: skip
        module = net()
        parameter = module[0].weight
        parameter.grad = gc.ones(2, 2)
        assert convert(module) is module
        assert kinds(module) == {"float64", "int64"}
        assert module[0].weight is parameter
        assert parameter.grad.dtype is gc.float64
    assert kinds(net().to("cpu")) == {"float32", "int64"}
    assert kinds(net().bfloat16()) == {"bfloat16", "int64"}
    assert kinds(net().half()) == {"float16", "int64"}
    assert kinds(net().type(gc.float64)) == {"float64"}
    assert net().cpu().to_empty(device="cpu")[0].weight.tolist() == [[0, 0], [0, 0]]
    with pytest.raises(TypeError, match="floating"):
        net().to(gc.int64)
    with pytest.raises(ArgumentError, match="device"):
        net().to("cuda")
    mixed = nn.Module()
    mixed.z = nn.Parameter(gc.ones(2, dtype=gc.complex64))
    assert mixed.to(gc.complex128).z.dtype is gc.complex128
    assert mixed.float().z.dtype is gc.complex128


def test_overridden_train_is_called() -> None:
    class Frozen(nn.Linear):
        def train(self, mode: bool = True) -> Any:
            return super().train(False)

    net = nn.Sequential(Frozen(1, 1), nn.Linear(1, 1)).train()
    assert [module.training for module in net.modules()] == [True, False, True]


def test_a_module_that_is_compiled() -> None:
    layer = nn.Linear(2, 1)
    layer.compile(backend="numpy")
    x = gc.ones(3, 2)
    with gc.no_grad():
        first = layer(x)
        layer(x)
    assert layer._compiled_call_impl.cache_info().misses == 1
    assert repr(layer) == "Linear(in_features=2, out_features=1, bias=True)"
    other = copy.deepcopy(layer)
    assert other._compiled_call_impl is None
    np.testing.assert_allclose(other(x).detach().numpy(), first.numpy(), rtol=1e-6)
    outer = gc.compile(lambda x: layer(x) * 2)
    np.testing.assert_allclose(outer(x).detach().numpy(), 2 * first.numpy(), rtol=1e-6)
    layer.register_forward_hook(lambda m, args, out: out + 1)
    with gc.no_grad():
        np.testing.assert_allclose(layer(x).numpy(), first.numpy() + 1, rtol=1e-6)


def test_registering() -> None:
    module = nn.Module()
    module.add_module("a", nn.ReLU())
    module.register_buffer("b", gc.ones(1), persistent=False)
    module.register_parameter("c", None)
    assert {"a", "b", "c", "forward"} <= set(dir(module))
    assert list(module.state_dict()) == []
    module.b = gc.zeros(1)
    assert list(module.state_dict()) == []
    module.register_buffer("b", gc.ones(1))
    assert list(module.state_dict()) == ["b"]
    del module.b, module.a
    assert not hasattr(module, "a")
    assert "0" not in dir(nn.Sequential(nn.ReLU()))
    assert len(list(nn.Sequential(*[nn.ReLU()] * 3).modules())) == 2
    assert len(list(nn.Sequential(*[nn.ReLU()] * 3).modules(remove_duplicate=False))) == 4
    with pytest.raises(ArgumentTypeError):
        module.register_forward_pre_hook("x")


WRONG = {
    "dot": lambda n, lib: n.Module().register_parameter("a.b", None),
    "empty": lambda n, lib: n.Module().register_buffer("", None),
    "taken": lambda n, lib: n.Linear(1, 1).register_buffer("weight", lib.ones(1)),
    "taken by a method": lambda n, lib: n.Linear(1, 1).add_module("forward", n.ReLU()),
    "number": lambda n, lib: n.Module().register_parameter(3, None),
    "no parameter": lambda n, lib: n.Module().register_parameter("a", lib.ones(1)),
    "no buffer": lambda n, lib: n.Module().register_buffer("a", 3),
    "no module": lambda n, lib: n.Module().add_module("a", lib.ones(1)),
    "a result": lambda n, lib: n.Module().register_parameter(
        "a", n.Parameter(lib.ones(1)).mul_(lib.ones(1, requires_grad=True))
    ),
    "a tensor for a parameter": lambda n, lib: setattr(n.Linear(1, 1), "weight", lib.ones(1)),
    "a number for a buffer": lambda n, lib: setattr(n.BatchNorm1d(1), "running_mean", 3),
    "a number for a module": lambda n, lib: setattr(n.Sequential(n.ReLU()), "0", 3),
    "too early": lambda n, lib: setattr(n.Linear.__new__(n.Linear), "a", n.Parameter(lib.ones(1))),
    "too early a buffer": lambda n, lib: n.Linear.__new__(n.Linear).register_buffer("a", None),
    "missing": lambda n, lib: n.Linear(1, 1).wieght,
    "missing to delete": lambda n, lib: delattr(n.Linear(1, 1), "wieght"),
    "missing module": lambda n, lib: n.Linear(1, 1).get_submodule("a.b"),
    "missing parameter": lambda n, lib: n.Linear(1, 1).get_parameter("wieght"),
    "missing buffer": lambda n, lib: n.Linear(1, 1).get_buffer("weight"),
    "mode": lambda n, lib: n.Linear(1, 1).train(3),
    "dtype": lambda n, lib: n.Linear(1, 1).to(lib.int64),
    "forward": lambda n, lib: n.Module()(1),
}


@pytest.mark.parity
@pytest.mark.parametrize("name", WRONG)
def test_mistakes_are_of_pytorchs_kinds(name: str) -> None:
    torch = pytest.importorskip("torch")
    with pytest.raises(Exception, match=r".") as theirs:
        WRONG[name](torch.nn, torch)
    with pytest.raises(theirs.type):
        WRONG[name](nn, gc)


@pytest.mark.parity
def test_names_are_pytorchs_also_of_what_is_shared() -> None:
    torch = pytest.importorskip("torch")

    def names(lib: Any, n: Any) -> list[Any]:
        shared, norm = n.Linear(2, 2), n.BatchNorm1d(2)
        net = n.Sequential(shared, norm, n.Sequential(shared, n.ReLU()), norm)
        net.add_module("none", None)
        net.register_parameter("absent", None)
        net.own = n.Parameter(lib.ones(1))
        net.tied = net.own
        net.register_buffer("state", lib.ones(1))
        net.same = net.state
        net[2].register_buffer("hidden", net.state, persistent=False)
        found: list[Any] = [list(net.state_dict()), [k for k, _ in net.named_children()]]
        for prefix in ("", "a"):
            for duplicates in (True, False):
                found.append([k for k, _ in net.named_modules(None, prefix, duplicates)])
                for recurse in (True, False):
                    found += [
                        [k for k, _ in method(prefix, recurse, duplicates)]
                        for method in (net.named_parameters, net.named_buffers)
                    ]
        found += [len(list(method())) for method in (net.parameters, net.buffers, net.modules)]
        found.append([len(list(net.parameters(False))), len(list(net.buffers(False)))])
        found.append(sorted({*dir(net)} & {"own", "state", "none", "absent", "0", "hidden"}))
        return found

    assert names(gc, nn) == names(torch, torch.nn)


@pytest.mark.parity
def test_what_is_overridden_is_called_as_in_pytorch() -> None:
    torch = pytest.importorskip("torch")

    def calls(lib: Any, n: Any) -> list[Any]:
        seen: list[Any] = []

        class Layer(n.Linear):
            def _save_to_state_dict(self, destination: Any, prefix: str, keep_vars: bool) -> None:
                seen.append(("save", prefix, keep_vars))
                super()._save_to_state_dict(destination, prefix, keep_vars)
                destination[f"{prefix}extra"] = lib.ones(1)

            def _load_from_state_dict(self, state: Any, prefix: str, *rest: Any) -> None:
                seen.append(("load", prefix, sorted(state), rest[0], rest[1]))
                state.pop(f"{prefix}extra")
                super()._load_from_state_dict(state, prefix, *rest)

            def _apply(self, fn: Any, recurse: bool = True) -> Any:
                seen.append("apply")
                return super()._apply(fn, recurse)

            def state_dict(self, *args: Any, **kwargs: Any) -> Any:
                seen.append(("state", sorted(kwargs)))
                return super().state_dict(*args, **kwargs)

            def train(self, mode: bool = True) -> Any:
                seen.append(("train", mode))
                return super().train(mode)

            def __setattr__(self, name: str, value: Any) -> None:
                if not name.startswith("_") and name not in ("training",):
                    seen.append(("set", name))
                super().__setattr__(name, value)

        net = n.Sequential(Layer(2, 1), n.ReLU())
        seen.clear()
        net.eval().double().half()
        try:
            net.load_state_dict(net.state_dict())
        except RuntimeError as error:
            seen.append(str(error).split("\n  ")[0])
        net.load_state_dict(net.state_dict(keep_vars=True), strict=False, assign=True)
        return seen

    ours, theirs = calls(gc, nn), calls(torch, torch.nn)
    assert ours == theirs


def test_bases_of_layers_have_pytorchs_names() -> None:
    assert isinstance(nn.BatchNorm2d(1), nn.modules.batchnorm._BatchNorm)
    assert not isinstance(nn.InstanceNorm2d(1), nn.modules.batchnorm._BatchNorm)
    assert isinstance(nn.ConvTranspose1d(1, 1, 1), nn.modules.conv._ConvNd)
    assert nn.modules.Module is nn.modules.module.Module is nn.Module
