"""Weights divided by their largest singular value, under the older names of parameters."""

from __future__ import annotations

from typing import Any, ClassVar, TypeVar

from graphc.errors import ArgumentError
from graphc.frontend.functions.equations import pinverse
from graphc.frontend.functions.pointwise import div
from graphc.frontend.functions.products import dot, mv
from graphc.frontend.functions.sampling import randn
from graphc.frontend.functions.shaping import clone, permute, reshape
from graphc.frontend.modes import no_grad
from graphc.frontend.nn.derived import Derived, derive
from graphc.frontend.nn.functional.distance import normalize
from graphc.frontend.nn.layers.transposed import (
    ConvTranspose1d,
    ConvTranspose2d,
    ConvTranspose3d,
)
from graphc.frontend.nn.module import Module
from graphc.frontend.nn.utils.derived_weights import (
    derivation_of,
    make_parameter_again,
    weight_to_replace,
)
from graphc.frontend.tensor import Tensor
from graphc.provenance import user_location_text

M = TypeVar("M", bound=Module)


def as_matrix(weight: Tensor, dim: int) -> Tensor:
    """A weight with one dim first, and all others as one."""
    if dim != 0:
        weight = permute(weight, (dim, *[each for each in range(weight.ndim) if each != dim]))
    return reshape(weight, (weight.shape[0], -1))


def output_dim(module: Module, dim: int | None) -> int:
    """The dim of a layer's outputs in its weight."""
    if dim is not None:
        return dim
    return 1 if isinstance(module, ConvTranspose1d | ConvTranspose2d | ConvTranspose3d) else 0


def require_iterations(count: int) -> None:
    """Raise ArgumentError for a number of iterations that is not positive."""
    if count <= 0:
        raise ArgumentError(
            "spectral_norm: expected n_power_iterations to be positive", got=str(count),
            where=user_location_text(),
        )  # fmt: skip


class SpectralNorm(Derived):
    """The weight ``weight_orig`` divided by its largest singular value.

    As a hook before ``forward`` it brings the singular vectors ``weight_u`` and ``weight_v``
    nearer to the true ones, if the module is training.

    Args:
        name: the parameter.
        n_power_iterations: steps per call.
        dim: the dim of the outputs.
        eps: the least length of a vector.
    """

    version: ClassVar[int] = 1

    def __init__(self, name: str, n_power_iterations: int, dim: int, eps: float) -> None:
        require_iterations(n_power_iterations)
        self.name, self.n_power_iterations = name, n_power_iterations
        self.dim, self.eps = dim, eps

    def value(self, module: Any, name: str) -> Tensor:
        """The weight now."""
        weight = getattr(module, f"{name}_orig")
        u, v = (clone(getattr(module, f"{name}_{each}")) for each in "uv")  # kept for backward
        return div(weight, dot(u, mv(as_matrix(weight, self.dim), v)))

    def __call__(self, module: Module, inputs: Any) -> None:
        """Improve the singular vectors, in place."""
        if not module.training:
            return
        u, v = (getattr(module, f"{self.name}_{each}") for each in "uv")
        with no_grad():
            matrix = as_matrix(getattr(module, f"{self.name}_orig"), self.dim)
            for _ in range(self.n_power_iterations):
                v.copy_(normalize(mv(matrix.T, u), dim=0, eps=self.eps))
                u.copy_(normalize(mv(matrix, v), dim=0, eps=self.eps))


class _NoteVersion:
    """Tells a state the version of its form.

    Args:
        norm: the norm.
    """

    def __init__(self, norm: SpectralNorm) -> None:
        self.norm = norm

    def __call__(self, module: Module, state: Any, prefix: str, metadata: dict[str, Any]) -> None:
        versions = metadata.setdefault("spectral_norm", {})
        versions[f"{self.norm.name}.version"] = self.norm.version


class _TakeOlder:
    """Gives a state of version 0, which has the weight itself, the second singular vector.

    Args:
        norm: the norm.
    """

    def __init__(self, norm: SpectralNorm) -> None:
        self.norm = norm

    def __call__(
        self, module: Module, state: dict[str, Any], prefix: str, metadata: dict[str, Any],
        strict: bool, missing: list[str], unexpected: list[str], errors: list[str],
    ) -> None:  # fmt: skip
        key = prefix + self.norm.name
        version = metadata.get("spectral_norm", {}).get(f"{self.norm.name}.version")
        is_new = key not in state and all(f"{key}_{each}" in state for each in ("orig", "u", "v"))
        if (version is not None and version >= 1) or is_new:
            return
        lacking = [each for each in (f"{key}_orig", key, f"{key}_u") if each not in state]
        if lacking:
            if key in lacking:
                missing.append(key)  # the others are missed as parameters of the module
            return
        original, weight, u = state[f"{key}_orig"], state.pop(key), state[f"{key}_u"]
        matrix = as_matrix(original, self.norm.dim)
        v = mv(pinverse(matrix.T @ matrix), mv(matrix.T, u))
        sigma = div(original, weight).mean()
        state[f"{key}_v"] = v * (sigma / dot(u, mv(matrix, v)))


def spectral_norm(
    module: M, name: str = "weight", n_power_iterations: int = 1, eps: float = 1e-12,
    dim: int | None = None,
) -> M:  # fmt: skip
    """Divide a weight by its largest singular value.

    The parameter becomes ``weight_orig``, with the buffers ``weight_u`` and ``weight_v``. There is
    the newer ``nn.utils.parametrizations.spectral_norm``.

    Args:
        module: the module.
        name: the parameter.
        n_power_iterations: steps that bring the singular vectors nearer, per call in training.
        eps: the least length of a vector.
        dim: the dim of the outputs; default: 0, and 1 for transposed convolutions.

    Returns:
        The module.

    Raises:
        ArgumentError: if the parameter is computed already, or has no shape yet.

    Source: ``torch.nn.utils.spectral_norm``.
    """
    norm = SpectralNorm(name, n_power_iterations, output_dim(module, dim), eps)
    weight = weight_to_replace("spectral_norm", module, name)
    with no_grad():
        matrix = as_matrix(weight, norm.dim)
        u, v = (normalize(randn(int(n), dtype=weight.dtype), dim=0, eps=eps) for n in matrix.shape)
    delattr(module, name)
    module.register_parameter(f"{name}_orig", weight)  # type: ignore[arg-type]  # it was one
    module.register_buffer(f"{name}_u", u)
    module.register_buffer(f"{name}_v", v)
    derive(module, name, norm)
    module.register_forward_pre_hook(norm)
    module.register_state_dict_post_hook(_NoteVersion(norm))
    module.register_load_state_dict_pre_hook(_TakeOlder(norm))
    return module


def remove_spectral_norm(module: M, name: str = "weight") -> M:
    """Let a weight be one parameter again, divided as it is now.

    Args:
        module: the module.
        name: the parameter.

    Returns:
        The module.

    Raises:
        ArgumentError: if it is not divided.

    Source: ``torch.nn.utils.remove_spectral_norm``.
    """
    norm = derivation_of("spectral_norm", SpectralNorm, module, name)
    make_parameter_again(module, name, ("_orig", "_u", "_v"))
    for hooks in (module._call_hooks, module._state_dict_hooks):
        for key, hook in list(hooks.items()):
            if norm in (hook.function, getattr(hook.function, "norm", None)):
                del hooks[key]
    return module
