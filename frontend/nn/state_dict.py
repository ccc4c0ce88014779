"""A module's state by path, and back: PyTorch's ``state_dict`` and ``load_state_dict``."""

from __future__ import annotations

import warnings
from collections import OrderedDict
from collections.abc import Iterator, Mapping, MutableMapping
from typing import TYPE_CHECKING, Any, ClassVar

from graphc.errors import ArgumentError, CheckpointTypeError
from graphc.frontend.making import concrete
from graphc.frontend.modes import no_grad, running_now
from graphc.frontend.nn.hooks.hook import hooks_of
from graphc.frontend.nn.hooks.registering import HookMethods
from graphc.frontend.nn.loading import IncompatibleKeys, Loading, Snapshot, load_own
from graphc.frontend.nn.uninitialized import is_lazy
from graphc.provenance import user_location_text
from graphc.storage import Storage

if TYPE_CHECKING:
    from graphc.frontend.tensor import Tensor

_EXTRA_STATE = "_extra_state"


class StateDict(OrderedDict[str, Any]):
    """What ``state_dict`` gives: values by path.

    Attributes:
        _metadata: by the path of each module, the version of its state.
    """

    _metadata: OrderedDict[str, dict[str, Any]]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._metadata = OrderedDict()


class Stateful(HookMethods):
    """The state of a module: its parameters, its persistent buffers, and extra state."""

    _version: ClassVar[int] = 1
    """The version of the state's form; ``_load_from_state_dict`` may look at a state's own."""

    def state_dict(
        self, *args: Any, destination: Any = None, prefix: str = "", keep_vars: bool = False
    ) -> Any:
        """All parameters and persistent buffers by path; the tensors share memory.

        Args:
            args: the others by position, which is deprecated.
            destination: a dict to add to; default: a new one.
            prefix: put before every path.
            keep_vars: give the parameters and buffers themselves, not tensors without gradients.

        Returns:
            The dict, whose ``_metadata`` has the versions of all modules.

        Source: ``torch.nn.Module.state_dict``.

        Example:
            >>> from graphc import nn
            >>> list(nn.Linear(2, 3).state_dict())
            ['weight', 'bias']
        """
        if args:
            warnings.warn(
                "state_dict: give destination, prefix and keep_vars by keyword",
                FutureWarning,
                stacklevel=2,
            )
            names = ("destination", "prefix", "keep_vars")
            given = dict(zip(names, args, strict=False))
            destination = given.get("destination") if destination is None else destination
            prefix = prefix or given.get("prefix", "")
            keep_vars = keep_vars or given.get("keep_vars", False)
        found = StateDict() if destination is None else destination
        local_metadata = {"version": self._version}
        if hasattr(found, "_metadata"):
            found._metadata[prefix[:-1]] = local_metadata
        for hook in hooks_of(self._state_dict_hooks, "state_dict_pre"):
            hook.function(self, prefix, keep_vars)
        self._save_to_state_dict(found, prefix, keep_vars)
        for name, child in self._modules.items():
            if child is not None:
                child.state_dict(
                    destination=found, prefix=f"{prefix}{name}.", keep_vars=keep_vars
                )  # fmt: skip
        for hook in list(self._state_dict_hooks.values()):
            if hook.kind not in ("state_dict", "state_dict_post"):
                continue
            replaced = hook.function(self, found, prefix, local_metadata)
            if replaced is not None and hook.kind == "state_dict_post":
                raise ArgumentError(
                    "a hook after state_dict must return None", fix="change the state in place",
                    where=user_location_text(),
                )  # fmt: skip
            found = found if replaced is None else replaced
        return found

    def _save_to_state_dict(
        self, destination: MutableMapping[str, Any], prefix: str, keep_vars: bool
    ) -> None:
        """Put this module's state into a dict, but not that of modules below."""
        for name, tensor in self._own_state():
            if not is_lazy(tensor):  # what has no shape yet has no values
                destination[prefix + name] = tensor if keep_vars else _alias(tensor)
        if type(self).get_extra_state is not Stateful.get_extra_state:
            destination[prefix + _EXTRA_STATE] = self.get_extra_state()

    def _own_state(self) -> Iterator[tuple[str, Tensor]]:
        """The parameters and persistent buffers of this module."""
        for name, parameter in self._parameters.items():
            if parameter is not None:
                yield name, parameter
        for name, buffer in self._buffers.items():
            if buffer is not None and name not in self._non_persistent_buffers_set:
                yield name, buffer

    def get_extra_state(self) -> Any:
        """What ``state_dict`` contains beside tensors; override it and ``set_extra_state``."""
        raise ArgumentError(
            f"{type(self).__name__} does not define get_extra_state", where=user_location_text()
        )

    def set_extra_state(self, state: Any) -> None:
        """Take what ``get_extra_state`` gave; called by ``load_state_dict``."""
        raise ArgumentError(
            f"{type(self).__name__} does not define set_extra_state", where=user_location_text()
        )

    def load_state_dict(
        self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False
    ) -> IncompatibleKeys:
        """Copy values into the parameters and buffers, in place; all of them or, on error, none.

        Args:
            state_dict: tensors or arrays by path, as ``state_dict`` gives them.
            strict: require that the paths are the same.
            assign: hold the given tensors instead, with their dtypes; an optimizer must be made
                after that.

        Returns:
            ``missing_keys`` and ``unexpected_keys``.

        Raises:
            CheckpointError: for another set of paths while strict, or other shapes.

        Source: ``torch.nn.Module.load_state_dict``.
        """
        if not isinstance(state_dict, Mapping):
            raise CheckpointTypeError(
                "load_state_dict: expected values by path", got=type(state_dict).__name__,
                where=user_location_text(),
            )  # fmt: skip
        loading = Loading(state_dict, getattr(state_dict, "_metadata", {}), assign)
        before = Snapshot(self)
        with no_grad(), running_now():
            try:
                loading.load(self)
                problem = loading.problem(type(self).__name__, strict)
                if problem is not None:
                    raise problem
            except BaseException:
                before.restore()
                raise
        return loading.keys

    def _load_from_state_dict(
        self, state_dict: dict[str, Any], prefix: str, local_metadata: dict[str, Any],
        strict: bool, missing_keys: list[str], unexpected_keys: list[str], error_msgs: list[str],
    ) -> None:  # fmt: skip
        """Load this module's state, but not that of modules below; may be overridden.

        Args:
            state_dict: values by path, which may be changed.
            prefix: what the module's paths begin with.
            local_metadata: what ``state_dict`` said about the module, such as its ``version``.
            strict: note missing and unexpected paths.
            missing_keys: gets the paths that the state lacks.
            unexpected_keys: gets the paths that the module lacks.
            error_msgs: gets what does not fit.
        """
        for hook in hooks_of(self._state_dict_hooks, "load_state_dict_pre"):
            hook.function(
                self, state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys,
                error_msgs,
            )  # fmt: skip
        missing: list[str] = []
        assign = bool(local_metadata.get("assign_to_params_buffers", False))
        own = load_own(self, state_dict, prefix, assign, missing, error_msgs)
        extra = prefix + _EXTRA_STATE
        takes_extra = type(self).set_extra_state is not Stateful.set_extra_state
        if takes_extra and extra in state_dict:
            self.set_extra_state(state_dict[extra])
        elif takes_extra:
            missing.append(extra)
        if not strict:
            return
        missing_keys += missing
        for key in state_dict:
            if key.startswith(prefix) and (key != extra or not takes_extra):
                name, dot, _ = key[len(prefix) :].partition(".")
                if name not in (self._modules if dot else own):
                    unexpected_keys.append(key)


def _alias(tensor: Tensor) -> Tensor:
    """The same memory without gradients, concrete also while recording."""
    made = concrete(tensor.storage.array)
    made.storage = Storage(tensor.storage.array, tensor.storage.version)
    made.is_state = True
    return made
