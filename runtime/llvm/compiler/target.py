"""What the machine can do: the one place that asks for CPU features."""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace

from graphc.config import ISA, LLVM_OPT
from graphc.errors import ArgumentError, CompileError
from graphc.runtime.llvm.compiler import native

_AVX512 = frozenset({"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"})
_AVX2 = frozenset({"avx2", "fma"})

# LLVM counts such hints as features; they say what is fast, not what exists.
_TUNING_PREFIXES = ("prefer-", "tuning-", "fast-", "slow-", "false-deps", "use-", "no-")


@dataclass(frozen=True, slots=True)
class Target:
    """A processor as the code generator sees it.

    Args:
        triple: LLVM's name of the platform.
        cpu: LLVM's name of the processor; decides instruction scheduling.
        features: LLVM's feature string, sorted; decides which instructions may be used.
        isa: ``"avx512"``, ``"avx2"``, ``"neon"`` or ``"baseline"``.
        vector_bits: width of the vectors that kernels use.
        fma: whether a fused multiply-add is one instruction.
        effort: how much LLVM optimizes, from 0 to 3. Results do not depend on it.
    """

    triple: str
    cpu: str
    features: str
    isa: str
    vector_bits: int
    fma: bool
    effort: int = 2

    def lanes(self, bits: int) -> int:
        """How many elements of ``bits`` bits fill one vector."""
        return self.vector_bits // bits


def host_target() -> Target:
    """The target of this process: the machine's, or what GRAPHC_ISA and GRAPHC_LLVM_OPT make of it.

    Raises:
        ArgumentError: if GRAPHC_ISA names nothing known or more than the machine has, or if
            GRAPHC_LLVM_OPT is no level of LLVM's.
    """
    effort = LLVM_OPT.number()
    if not 0 <= effort <= 3:
        raise ArgumentError(
            "GRAPHC_LLVM_OPT is no level of LLVM's", got=str(effort), expected="0, 1, 2 or 3"
        )
    return replace(_restricted(_machine(), ISA.text()), effort=effort)


def named_target(isa: str) -> Target:
    """This machine's target restricted to ``isa``, as GRAPHC_ISA would do it.

    Raises:
        ArgumentError: if ``isa`` is unknown or the machine lacks it.
    """
    return _restricted(_machine(), isa)


@functools.cache
def _machine() -> Target:
    binding = native.binding()
    triple: str = binding.get_default_triple()
    cpu: str = binding.get_host_cpu_name()
    queried: dict[str, bool] = dict(binding.get_host_cpu_features())
    present = {name for name, on in queried.items() if on and not name.startswith(_TUNING_PREFIXES)}
    absent = {name for name in queried if name not in present}
    features = ",".join(
        [*(f"+{name}" for name in sorted(present)), *(f"-{name}" for name in sorted(absent))]
    )
    if triple.startswith(("x86_64", "i686")):
        if present >= _AVX512 | _AVX2:
            return Target(triple, cpu, features, "avx512", 512, True)
        if present >= _AVX2:
            return Target(triple, cpu, features, "avx2", 256, True)
        return Target(triple, "x86-64", "", "baseline", 128, False)
    if triple.startswith(("aarch64", "arm64")):
        return Target(triple, cpu, features, "neon", 128, True)
    raise CompileError(
        "no native code for this processor", got=triple, fix='compile with backend="numpy"'
    )


def _restricted(machine: Target, isa: str) -> Target:
    order = ("baseline", "avx2", "avx512")
    if isa in ("", machine.isa):
        return machine
    if isa not in order:
        raise ArgumentError("unknown instruction set", got=repr(isa), expected=", ".join(order))
    if isa == "baseline" and machine.isa == "neon":
        return machine
    if machine.isa not in order or order.index(isa) > order.index(machine.isa):
        raise ArgumentError(
            f"this machine has no {isa}",
            got=machine.isa,
            fix="unset GRAPHC_ISA or name a smaller one",
        )
    if isa == "avx2":
        return Target(machine.triple, "x86-64-v3", "", "avx2", 256, True)
    return Target(machine.triple, "x86-64", "", "baseline", 128, False)
