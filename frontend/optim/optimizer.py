"""What all optimizers share: groups, state, steps in both executions, checkpoints.

A subclass is a rule: pure expressions that give the next parameter and state. The base class runs
it under ``no_grad`` and writes the results in place; while recording, these writes are the updates
of the graph, and plain numbers such as the learning rate are read anew at each run.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Mapping
from typing import Any, cast

from graphc.dtypes import float32
from graphc.errors import CheckpointTypeError
from graphc.frontend.guards.changes import announced_changes
from graphc.frontend.modes import enable_grad, modes, no_grad
from graphc.frontend.nn.parameter import clear_grad
from graphc.frontend.optim.checks import require_execution, require_non_negative
from graphc.frontend.optim.group import Members, ParamGroup, ParamState, States
from graphc.frontend.optim.guards import guard_groups, guard_options, guard_state
from graphc.frontend.optim.hooked import Hooked
from graphc.frontend.optim.hooks import with_hooks
from graphc.frontend.optim.new_groups import Params, as_groups, new_group
from graphc.frontend.optim.options import Options, RecordedOptions
from graphc.frontend.optim.parts import update_parts
from graphc.frontend.optim.program import run_program
from graphc.frontend.optim.state import load_tensor, packed_groups, packed_state, require_fitting
from graphc.frontend.recording.recorder import Recorder
from graphc.frontend.recording.rollback import on_failure
from graphc.frontend.tensor import Tensor
from graphc.provenance import user_location_text
from graphc.types import TensorType

State = dict[str, Any]


class Optimizer(Hooked):
    """The base of all optimizers (``torch.optim.Optimizer``).

    Args:
        params: tensors, pairs of name and tensor, or dicts with ``"params"`` and own options.
        defaults: the options of groups that do not set them.

    Attributes:
        param_groups: dicts with ``"params"`` and options; writing an option takes effect at the
            next step, also of a compiled program.
        state: per parameter a dict of tensors.

    A subclass defines ``structure``, ``init`` and ``update``.

    Of PyTorch's ways to execute a step, ``foreach``, ``fused`` and ``capturable`` are accepted
    and change nothing: a compiled step is one program anyway, and reads its options at each run.
    ``differentiable`` must be False.
    """

    is_elementwise = True
    """Whether the rule moves each element of a parameter for itself."""

    has_parts = False
    """Whether the rule moves the parts of complex parameters each for itself."""

    numbers = frozenset({"step"})
    """Names of states that are one float32 number for a whole parameter."""

    def __init__(self, params: Params, defaults: dict[str, Any]) -> None:
        super().__init__()
        self.defaults = defaults
        self.state: defaultdict[Tensor, State] = States()
        self.param_groups: list[dict[str, Any]] = Members()
        for group in as_groups(params):
            self.add_param_group(group)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "step" in vars(cls):
            cls.step = with_hooks(cls.step)  # type: ignore[method-assign]  # hooks surround any step

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        announced_changes.mark()

    # --- the rule -----------------------------------------------------------------------------

    def structure(self, group: Mapping[str, Any]) -> Hashable:
        """The facts about a group that decide which expressions ``update`` builds."""
        raise NotImplementedError(f"{type(self).__name__} does not define structure")

    def init(self, param: Tensor, group: Mapping[str, Any], state: State) -> None:
        """Add what ``update`` needs and the state lacks: concrete tensors."""
        raise NotImplementedError(f"{type(self).__name__} does not define init")

    def update(
        self, param: Tensor, grad: Tensor, state: State, options: Options
    ) -> tuple[Tensor, State]:
        """The next value of a parameter and of its state, as pure expressions.

        Args:
            param: the parameter.
            grad: its gradient.
            state: what ``init`` made.
            options: the group's options; numbers may be symbolic, facts of ``structure`` are plain.
        """
        raise NotImplementedError(f"{type(self).__name__} does not define update")

    def check(self, group: Mapping[str, Any]) -> None:
        """Raise ArgumentError for options that make no sense."""
        require_non_negative(self, group, "lr", "weight_decay")

    def state_shape(self, key: str, param: Tensor) -> tuple[int, ...]:
        """The shape of a state, for loading it."""
        return () if key in self.numbers else param.shape

    # --- steps --------------------------------------------------------------------------------

    @with_hooks
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Move all parameters that have a gradient.

        Args:
            closure: computes the loss and its gradients; called first, with gradients on.

        Returns:
            What the closure returned, or None.
        """
        loss = None
        if closure is not None:
            with enable_grad():
                loss = closure()
        recorder = modes.recorder
        if recorder is not None:
            guard_groups(self, recorder)
        with no_grad():
            for position, group in enumerate(self.param_groups):
                self._step_group(position, group)
        if recorder is not None:
            guard_state(self, recorder)
        return loss

    def _step_group(self, position: int, group: dict[str, Any]) -> None:
        recorder = modes.recorder
        if recorder is None:
            options = Options(group)
        else:
            guard_options(self, position, recorder)
            options = RecordedOptions(group, recorder)
        for param in group["params"]:
            grad = param.grad
            if grad is None:
                continue
            if recorder is not None:
                on_failure(recorder, self._restorer(param))
            self.init(param, group, self.state[param])
            if recorder is not None:
                recorder.gradients.slot(param).stepped = True
                self._adopt_state(param, recorder)
            self._move(param, grad, options)

    def _restorer(self, param: Tensor) -> Callable[[], None]:
        """What takes the state of a parameter back to where it is now."""
        is_known = param in self.state
        before = dict(self.state[param])

        def restore() -> None:
            entries = self.state[param]
            entries.clear()
            entries.update(before)
            if not is_known:
                del self.state[param]

        return restore

    def _move(self, param: Tensor, grad: Tensor, options: Options) -> None:
        state = self.state[param]
        if modes.recorder is None and run_program(self, options.group, param, grad, state):
            return
        if self.has_parts and param.dtype.is_complex:
            moved, next_state = update_parts(self.update, param, grad, state, options)
        else:
            moved, next_state = self.update(param, grad, state, options)
        for key, value in next_state.items():
            if value is not state[key]:
                state[key].copy_(value)
        param.copy_(moved)

    def _adopt_state(self, param: Tensor, recorder: Recorder) -> None:
        """Let the recording have the state as variables, also what a user has put there."""
        name = recorder.suggested_name(param)
        for key, value in self.state[param].items():
            if isinstance(value, Tensor):
                value.is_state = True
                if name is not None:
                    recorder.suggest_name(value, f"{name}.{key}")

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Clear all gradients.

        Args:
            set_to_none: drop them; else fill with zeros.
        """
        if modes.recorder is not None:
            guard_groups(self, modes.recorder)
        for group in self.param_groups:
            for param in group["params"]:
                clear_grad(param, set_to_none)

    # --- groups -------------------------------------------------------------------------------

    def add_param_group(self, param_group: Any) -> None:
        """Add parameters with options of their own.

        Args:
            param_group: a dict with ``"params"`` and options; those it lacks get the defaults.

        Raises:
            ArgumentError: if a parameter is in the optimizer already, or is no leaf, if some have
                names and others not, or if their order is not known.
        """
        group = new_group(self, param_group)
        require_execution(self, group)
        self.check(group)
        self.param_groups.append(ParamGroup(group))

    def __repr__(self) -> str:
        lines = [f"{type(self).__name__} ("]
        for position, group in enumerate(self.param_groups):
            lines.append(f"Parameter Group {position}")
            lines += [
                f"    {key}: {group[key]}" for key in sorted(group) if not key.startswith("param")
            ]
        return "\n".join([*lines, ")"])

    # --- checkpoints --------------------------------------------------------------------------

    def state_dict(self) -> dict[str, Any]:
        """State and options, with parameters as numbers, in PyTorch's structure.

        Returns:
            ``"state"``: tensors by number and name, sharing memory; ``"param_groups"``.
        """
        for hook in self._before_state_dict:
            hook(self)
        packed = {
            "state": packed_state(self.state, self.param_groups),
            "param_groups": packed_groups(self.param_groups),
        }
        return cast("dict[str, Any]", self._after_state_dict.replace(self, packed))

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take over state and options; memory that is there already is kept and overwritten.

        Args:
            state_dict: what ``state_dict`` gave, here or in PyTorch (as arrays).

        Raises:
            CheckpointMismatchError: if the groups or shapes differ, or it is another optimizer's.
            CheckpointTypeError: for what is no dict.
        """
        if not isinstance(state_dict, Mapping):
            raise CheckpointTypeError(
                f"{type(self).__name__}: expected what state_dict gave",
                got=type(state_dict).__name__, where=user_location_text(),
            )  # fmt: skip
        state_dict = self._before_load.replace(self, dict(state_dict))
        groups = state_dict["param_groups"]
        require_fitting(type(self).__name__, self.param_groups, groups, self.defaults.keys())
        put_states = [
            self._checked_state(param, state_dict["state"].get(number, {}))
            for own, group in zip(self.param_groups, groups, strict=True)
            for param, number in zip(own["params"], group["params"], strict=True)
        ]
        for own, group in zip(self.param_groups, groups, strict=True):
            own.update({key: value for key, value in group.items() if key != "params"})
        for put_state in put_states:
            put_state()
        for hook in self._after_load:
            hook(self)

    def _checked_state(self, param: Tensor, entries: Mapping[str, Any]) -> Callable[[], None]:
        """Check a parameter's state that is loaded; the result puts it in place."""
        given = {
            key: self._checked_entry(param, key, value)
            for key, value in entries.items()
            if value is not None
        }

        def put() -> None:
            entries = {key: value() for key, value in given.items()}
            present = self.state[param]
            if entries.keys() != present.keys() or any(
                present[key] is not value for key, value in entries.items()
            ):  # compiled steps that use the present state notice that there is another
                self.state[param] = ParamState(entries)

        return put

    def _checked_entry(self, param: Tensor, key: str, value: Any) -> Callable[[], Any]:
        """Check a state that is loaded; the result puts it in place."""
        dtype = float32 if key in self.numbers else param.dtype
        wanted = TensorType(self.state_shape(key, param), dtype)
        return load_tensor(value, key, wanted, self.state[param].get(key))
