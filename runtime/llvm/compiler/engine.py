"""Text IR to object code, and object code to callable addresses."""

from __future__ import annotations

import functools
import itertools
import weakref
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from graphc.errors import CompileError, SessionError
from graphc.runtime.llvm.compiler import libm, native, side_by_side
from graphc.runtime.llvm.compiler.forks import LINKING
from graphc.runtime.llvm.compiler.target import Target, host_target

_LIBRARY_NUMBERS = itertools.count()
_LIBRARIES_PER_LINKER = 64
"""LLVM's linker keeps some 9 KB of each library that it unloads until it is freed itself."""

_dropped: deque[tuple[Any, Any]] = deque()
"""Trackers of libraries that nobody needs, each with its linker, which must live as long."""


def compile_object(ir: str, target: Target) -> bytes:
    """Compile one module of text IR to a relocatable object file.

    Args:
        ir: the module as text.
        target: the processor to compile for.

    Returns:
        The object file's bytes.

    Raises:
        CompileError: if LLVM refuses the text.
    """
    module, machine = _optimized(ir, target)
    return side_by_side.emit_object(machine, module)


def assembly(ir: str, target: Target) -> str:
    """The machine code of one module of text IR, readable, for people.

    Raises:
        CompileError: if LLVM refuses the text.
    """
    module, machine = _optimized(ir, target)
    text: str = machine.emit_assembly(module)
    return text


def _optimized(ir: str, target: Target) -> tuple[Any, Any]:
    """The parsed module after a few cheap passes, and the machine to emit it with.

    The kernels arrive vectorized, unrolled and hoisted. LLVM's standard pipeline takes four times
    as long as these passes and makes the same code of them. Without effort there are none.
    """
    llvm = native.binding()
    machine = _target_machine(target)
    try:
        module = side_by_side.parse(ir, llvm.create_context())
        module.verify()
    except RuntimeError as error:
        raise CompileError(
            "LLVM refused the generated code", got=str(error).strip(), fix="report this as a bug"
        ) from error
    if target.effort == 0:
        return module, machine
    builder = llvm.create_pass_builder(machine, llvm.create_pipeline_tuning_options(speed_level=1))
    passes = llvm.create_new_module_pass_manager()
    passes.add_sroa_pass()
    passes.add_instruction_combine_pass()
    passes.add_simplify_cfg_pass()
    side_by_side.run_passes(passes, module, builder)
    return module, machine


class Library:
    """Loaded code. Its addresses are valid until ``close()`` or until the object is collected.

    Args:
        tracker: LLVM's handle of the loaded library.
        jit: the linker that loaded it, kept alive as long as the code.
    """

    def __init__(self, tracker: Any, jit: Any) -> None:
        self._tracker: Any | None = tracker
        self._unload = weakref.finalize(self, _unload, tracker, jit)
        self._unload.atexit = False

    def address(self, symbol: str) -> int:
        """Where an exported function starts.

        Raises:
            SessionError: after ``close()``.
            CompileError: if the symbol was not exported.
        """
        if self._tracker is None:
            raise SessionError("this library was closed", fix="compile again")
        try:
            return int(self._tracker[symbol])
        except KeyError:
            raise CompileError("no such symbol in this library", got=symbol) from None

    def close(self) -> None:
        """Free the code, at the latest with the next link. Closing twice is harmless."""
        self._tracker = None
        self._unload()


def _unload(tracker: Any, jit: Any) -> None:
    """Free a library's code, now or soon: who collects garbage may hold any lock."""
    _dropped.append((tracker, jit))
    if LINKING.acquire(blocking=False):
        try:
            _free_dropped()
        finally:
            LINKING.release()


def _free_dropped() -> None:
    while True:
        try:
            tracker, _ = _dropped.popleft()
        except IndexError:  # also if a collection just now has freed the last one
            return
        tracker.close()


def link(
    objects: Sequence[bytes], exports: Iterable[str], imports: Mapping[str, int] | None = None
) -> Library:
    """Load object files as one library of this process.

    Args:
        objects: what :func:`compile_object` returned, for this machine.
        exports: the symbols whose addresses will be asked for.
        imports: the addresses of functions outside that the objects call.

    Returns:
        The loaded library.

    Raises:
        CompileError: if an object is damaged or a symbol is missing.
    """
    builder = native.binding().JITLibraryBuilder()
    for code in objects:
        builder.add_object_img(code)
    builder.add_current_process()
    for symbol, address in {**libm.addresses(), **(imports or {})}.items():
        builder.import_symbol(symbol, address)
    for symbol in exports:
        builder.export_symbol(symbol)
    with LINKING:
        _free_dropped()
        number = next(_LIBRARY_NUMBERS)
        jit = _linker(number // _LIBRARIES_PER_LINKER)
        try:
            tracker = builder.link(jit, f"graphc.{number}")
        except RuntimeError as error:
            raise CompileError("native code cannot be loaded", got=str(error).strip()) from error
    return Library(tracker, jit)


def _target_machine(target: Target) -> Any:
    """A fresh machine: LLVM's are not safe to share between threads."""
    llvm = native.binding()
    return llvm.Target.from_triple(target.triple).create_target_machine(
        cpu=target.cpu,
        features=target.features,
        opt=target.effort,
        codemodel="small",  # the JIT's default, large, loads every address in full
        reloc="pic",
        jit=True,
    )


@functools.lru_cache(maxsize=1)
def _linker(generation: int) -> Any:
    """The linker of the present generation; an old one lives as long as its libraries."""
    return native.binding().create_lljit_compiler(_target_machine(host_target()))
