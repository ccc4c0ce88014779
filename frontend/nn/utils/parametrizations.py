"""Parametrizations of weights: ``torch.nn.utils.parametrizations``."""

from __future__ import annotations

from typing import Any, TypeVar

from graphc.errors import ArgumentError, IndexRangeError
from graphc.frontend.functions.pointwise import div
from graphc.frontend.functions.products import mv, vdot
from graphc.frontend.functions.sampling import randn
from graphc.frontend.functions.shaping import clone
from graphc.frontend.modes import no_grad
from graphc.frontend.nn.functional.distance import normalize
from graphc.frontend.nn.module import Module
from graphc.frontend.nn.utils.norm_except import norm_except, normed
from graphc.frontend.nn.utils.orthogonal import OrthogonalMap, orthogonal_map_of
from graphc.frontend.nn.utils.parametrize import register_parametrization, value_of
from graphc.frontend.nn.utils.spectral_norm import as_matrix, output_dim, require_iterations
from graphc.frontend.tensor import Tensor
from graphc.provenance import user_location_text

M = TypeVar("M", bound=Module)


class _WeightNorm(Module):
    """A weight of its length and its direction.

    Args:
        dim: its norm goes over all other dims; None for over all.
    """

    def __init__(self, dim: int | None = 0) -> None:
        super().__init__()
        self.dim = -1 if dim is None else dim

    def forward(self, weight_g: Tensor, weight_v: Tensor) -> Tensor:
        return normed(weight_v, weight_g, self.dim)

    def right_inverse(self, weight: Tensor) -> tuple[Tensor, Tensor]:
        """Length and direction."""
        return norm_except(weight, self.dim), weight


class _OlderNames:
    """Lets states of the older ``weight_norm`` be loaded.

    Args:
        name: the parameter.
    """

    def __init__(self, name: str) -> None:
        self.name = name

    def __call__(self, module: Module, state: dict[str, Any], prefix: str, *_: Any) -> None:
        older = [f"{prefix}{self.name}_{each}" for each in "gv"]
        if all(key in state for key in older):
            for position, key in enumerate(older):
                path = f"{prefix}parametrizations.{self.name}.original{position}"
                state[path] = state.pop(key)


def weight_norm(module: M, name: str = "weight", dim: int | None = 0) -> M:
    """Train the length and the direction of a weight apart from each other.

    Args:
        module: the module.
        name: the parameter, which becomes ``parametrizations.weight.original0`` (the length) and
            ``original1`` (the direction).
        dim: its norm goes over all other dims; None for over all.

    Returns:
        The module.

    Source: ``torch.nn.utils.parametrizations.weight_norm``.

    Example:
        >>> from graphc import nn
        >>> layer = nn.utils.parametrizations.weight_norm(nn.Linear(2, 3))
        >>> [name for name, _ in layer.named_parameters()]
        ['bias', 'parametrizations.weight.original0', 'parametrizations.weight.original1']
    """
    register_parametrization(module, name, _WeightNorm(dim), unsafe=True)
    module.register_load_state_dict_pre_hook(_OlderNames(name))
    return module


class _SpectralNorm(Module):
    """A weight divided by its largest singular value.

    Args:
        weight: as it is now.
        n_power_iterations: steps that bring the singular vectors nearer, per reading in training.
        dim: the dim of the outputs.
        eps: the least length of a vector.
    """

    _u: Tensor
    _v: Tensor

    def __init__(
        self, weight: Tensor, n_power_iterations: int = 1, dim: int = 0, eps: float = 1e-12
    ) -> None:
        super().__init__()
        if not -weight.ndim <= dim < weight.ndim:
            raise IndexRangeError(
                "spectral_norm: no such dim", got=str(dim),
                expected=f"{-weight.ndim}..{weight.ndim - 1}", where=user_location_text(),
            )  # fmt: skip
        require_iterations(n_power_iterations)
        self.dim, self.eps = dim % weight.ndim, eps
        if weight.ndim > 1:
            self.n_power_iterations = n_power_iterations
            with no_grad():
                matrix = as_matrix(weight.detach(), self.dim)
                for name, size in zip(("_u", "_v"), matrix.shape, strict=True):
                    start = randn(int(size), dtype=weight.dtype)
                    self.register_buffer(name, normalize(start, dim=0, eps=eps))
            self._iterate(matrix, 15)

    def _iterate(self, matrix: Tensor, count: int) -> None:
        with no_grad():
            for _ in range(count):
                self._u.copy_(normalize(mv(matrix, self._v), dim=0, eps=self.eps))
                self._v.copy_(normalize(mv(matrix.H, self._u), dim=0, eps=self.eps))

    def forward(self, weight: Tensor) -> Tensor:
        if weight.ndim == 1:
            return normalize(weight, dim=0, eps=self.eps)
        matrix = as_matrix(weight, self.dim)
        if self.training:
            self._iterate(matrix, self.n_power_iterations)
        u, v = clone(self._u), clone(self._v)  # they are overwritten before backward reads them
        return div(weight, vdot(u, mv(matrix, v)))

    def right_inverse(self, value: Tensor) -> Tensor:
        """The value itself."""
        return value


def spectral_norm(
    module: M, name: str = "weight", n_power_iterations: int = 1, eps: float = 1e-12,
    dim: int | None = None,
) -> M:  # fmt: skip
    """Divide a weight by its largest singular value.

    Args:
        module: the module.
        name: the parameter.
        n_power_iterations: steps that bring the singular vectors nearer, per reading in training.
        eps: the least length of a vector.
        dim: the dim of the outputs; default: 0, and 1 for transposed convolutions.

    Returns:
        The module.

    Raises:
        ArgumentError: if there is no such parameter.

    Source: ``torch.nn.utils.parametrizations.spectral_norm``.
    """
    weight = value_of(module, name)
    norm = _SpectralNorm(weight, n_power_iterations, output_dim(module, dim), eps)
    register_parametrization(module, name, norm)
    return module


def orthogonal(
    module: M, name: str = "weight", orthogonal_map: str | None = None, *,
    use_trivialization: bool = True,
) -> M:  # fmt: skip
    """Keep the columns of a weight, or its rows if these are fewer, orthogonal and of length 1.

    Args:
        module: the module.
        name: the parameter: a matrix, or a batch of matrices.
        orthogonal_map: ``"matrix_exp"``, ``"cayley"`` or ``"householder"``; default: the first for
            square or complex matrices, else the last.
        use_trivialization: keep the weight of now as a factor; training starts there.

    Returns:
        The module.

    Raises:
        ArgumentError: for another map, or what is no matrix.

    Source: ``torch.nn.utils.parametrizations.orthogonal``.

    Example:
        >>> import graphc as gc
        >>> from graphc import nn
        >>> layer = nn.utils.parametrizations.orthogonal(nn.Linear(3, 2))
        >>> bool(((layer.weight @ layer.weight.T) - gc.eye(2)).abs().max() < 1e-6)
        True
    """
    weight = value_of(module, name)
    if weight.ndim < 2:
        raise ArgumentError(
            "orthogonal: expected a matrix or a batch of matrices", got=str(weight.type),
            where=user_location_text(),
        )  # fmt: skip
    kind = orthogonal_map_of(weight, orthogonal_map)
    made = OrthogonalMap(weight, kind, use_trivialization)
    register_parametrization(module, name, made, unsafe=True)
    return module
