"""Methods of pruning: how a mask of a parameter is computed, and how several are combined."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from graphc.errors import ArgumentError, ArgumentTypeError
from graphc.frontend.functions.convert import cast
from graphc.frontend.functions.creation import ones_like
from graphc.frontend.functions.pointwise import mul
from graphc.frontend.functions.shaping import clone
from graphc.frontend.modes import no_grad
from graphc.frontend.nn.derived import Derived, derive, underive
from graphc.frontend.nn.module import Module
from graphc.frontend.nn.utils.parametrization_list import set_values
from graphc.frontend.nn.utils.parametrize import value_of
from graphc.frontend.tensor import Tensor
from graphc.provenance import user_location_text


class BasePruningMethod(Derived):
    """How elements of a parameter are chosen and set to zero; subclasses define ``compute_mask``.

    The parameter becomes ``weight_orig``, with the buffer ``weight_mask``; ``weight`` is their
    product, computed where it is read. ``PRUNING_TYPE`` is ``"unstructured"``, ``"structured"``
    or ``"global"``: what a second method, applied later, gets to see of what the first one left.

    Source: ``torch.nn.utils.prune.BasePruningMethod``.
    """

    PRUNING_TYPE: ClassVar[str] = ""
    _tensor_name: str

    def value(self, module: Any, name: str) -> Tensor:
        """The parameter with zeros."""
        return self.apply_mask(module)

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """The mask: 1 for what stays, 0 for what goes.

        Args:
            t: the importance of each element.
            default_mask: the mask of earlier methods, which stays in the result.
        """
        raise NotImplementedError(f"{type(self).__name__} does not define compute_mask")

    def apply_mask(self, module: Module) -> Tensor:
        """The original times the mask."""
        original: Tensor = getattr(module, f"{self._tensor_name}_orig")
        return mul(cast(getattr(module, f"{self._tensor_name}_mask"), original.dtype), original)

    @classmethod
    def apply(
        cls, module: Module, name: str, *args: Any, importance_scores: Tensor | None = None,
        **kwargs: Any,
    ) -> BasePruningMethod:  # fmt: skip
        """Prune a parameter; once more, if it is pruned already.

        Args:
            module: the module.
            name: the parameter.
            args: what the method is made with.
            importance_scores: which elements matter; default: their values.
            kwargs: what the method is made with.

        Returns:
            The method, or the container of all methods of this parameter.

        Raises:
            ArgumentError: if the scores have another shape than the parameter.
        """
        method: BasePruningMethod = cls(*args, **kwargs)
        method._tensor_name = name
        earlier = module._derived_tensors.get(name)
        present = value_of(module, name)
        scores = present if importance_scores is None else importance_scores
        _require_shape("importance_scores", scores, present)
        with no_grad():
            if isinstance(earlier, BasePruningMethod):
                method = _container_of(earlier, method)
                mask = method.compute_mask(scores, clone(getattr(module, f"{name}_mask")))
            else:
                mask = method.compute_mask(scores, ones_like(present))
        if not isinstance(earlier, BasePruningMethod):
            original = module._parameters[name]
            del module._parameters[name]
            module.register_parameter(f"{name}_orig", original)
        module.register_buffer(f"{name}_mask", mask.detach())
        derive(module, name, method)
        return method

    def prune(
        self, t: Tensor, default_mask: Tensor | None = None,
        importance_scores: Tensor | None = None,
    ) -> Tensor:  # fmt: skip
        """A pruned copy of a tensor.

        Args:
            t: the tensor.
            default_mask: a mask that stays in the result; default: ones.
            importance_scores: which elements matter; default: ``t``.
        """
        scores = t if importance_scores is None else importance_scores
        _require_shape("importance_scores", scores, t)
        mask = ones_like(t) if default_mask is None else default_mask
        return mul(t, self.compute_mask(scores, default_mask=mask))

    def remove(self, module: Module) -> None:
        """Let the parameter be one again, with its zeros."""
        name = self._tensor_name
        with no_grad():
            weight = self.apply_mask(module)
        underive(module, name)
        original = module._parameters[f"{name}_orig"]
        delattr(module, f"{name}_orig")
        delattr(module, f"{name}_mask")
        if original is not None:
            set_values(original, weight)
        module.register_parameter(name, original)


def _require_shape(what: str, given: Tensor, like: Tensor) -> None:
    if given.shape != like.shape:
        raise ArgumentError(
            f"prune: {what} must have the shape of the parameter", got=str(given.type),
            expected=str(like.type), where=user_location_text(),
        )  # fmt: skip


def _container_of(earlier: BasePruningMethod, method: BasePruningMethod) -> PruningContainer:
    """A container of a method, or of the methods of a container, and one more."""
    methods = earlier if isinstance(earlier, PruningContainer) else [earlier]
    return PruningContainer(*methods, method)


class PruningContainer(BasePruningMethod):
    """Methods that were applied to the same parameter, one after the other.

    Args:
        args: the methods.

    Raises:
        ArgumentTypeError: for what is no method.
        ArgumentError: for methods of different parameters.

    Source: ``torch.nn.utils.prune.PruningContainer``.
    """

    def __init__(self, *args: BasePruningMethod) -> None:
        self._pruning_methods: tuple[BasePruningMethod, ...] = ()
        for method in args:
            self.add_pruning_method(method)

    def add_pruning_method(self, method: BasePruningMethod) -> None:
        """Add a method of the same parameter."""
        if not isinstance(method, BasePruningMethod):
            raise ArgumentTypeError(
                "PruningContainer: expected pruning methods", got=type(method).__name__,
                where=user_location_text(),
            )  # fmt: skip
        if not self._pruning_methods:
            self._tensor_name = method._tensor_name
        if method._tensor_name != self._tensor_name:
            raise ArgumentError(
                "PruningContainer: all methods must be of the same parameter",
                got=repr(method._tensor_name), expected=repr(self._tensor_name),
                where=user_location_text(),
            )  # fmt: skip
        self._pruning_methods += (method,)

    def __len__(self) -> int:
        return len(self._pruning_methods)

    def __iter__(self) -> Iterator[BasePruningMethod]:
        return iter(self._pruning_methods)

    def __getitem__(self, index: int) -> BasePruningMethod:
        return self._pruning_methods[index]

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """The mask so far, of whose remaining elements the last method takes some out."""
        method = self._pruning_methods[-1]
        seen: Any
        if method.PRUNING_TYPE == "unstructured":
            seen = default_mask == 1
        elif method.PRUNING_TYPE == "structured":
            dim = method.dim % t.ndim  # type: ignore[attr-defined]  # structured ones have a dim
            others = [each for each in range(t.ndim) if each != dim]
            seen = (*[slice(None)] * dim, default_mask.sum(dim=others) != 0)
        elif method.PRUNING_TYPE == "global":
            seen = (slice(None),) * t.ndim
        else:
            raise ArgumentError(
                "PruningContainer: unknown PRUNING_TYPE", got=repr(method.PRUNING_TYPE),
                expected="'unstructured', 'structured' or 'global'", where=user_location_text(),
            )  # fmt: skip
        mask = clone(cast(default_mask, t.dtype))
        mask[seen] = cast(method.compute_mask(t[seen], default_mask=default_mask[seen]), t.dtype)
        return mask
