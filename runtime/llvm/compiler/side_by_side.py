"""LLVM's long calls without llvmlite's lock, so that modules compile side by side.

llvmlite lets one call at a time into LLVM. LLVM itself only asks that threads do not share a
context or a machine, and each compilation has its own. Forks wait for these calls.
"""

from __future__ import annotations

import ctypes
import functools
from typing import Any

from graphc.runtime.llvm.compiler import native
from graphc.runtime.llvm.compiler.forks import CALLS


def parse(ir: str, context: Any) -> Any:
    """The module that a text describes.

    Args:
        ir: the text.
        context: LLVM's context, of this thread only.

    Raises:
        RuntimeError: if LLVM does not understand the text.
    """
    with _ffi().OutputString() as message:
        pointer = _call("LLVMPY_ParseAssembly", context, ir.encode(), message)
        module = native.binding().ModuleRef(pointer, context)
        if message:
            module.close()
            raise RuntimeError(str(message))
    return module


def run_passes(passes: Any, module: Any, builder: Any) -> None:
    """Change the module as the passes do.

    Args:
        passes: llvmlite's manager of the passes.
        module: the module.
        builder: llvmlite's pass builder, of this thread only.
    """
    _call("LLVMPY_RunNewModulePassManager", passes, module, builder)


def emit_object(machine: Any, module: Any) -> bytes:
    """The object file of a module.

    Args:
        machine: llvmlite's target machine, of this thread only.
        module: the module.

    Raises:
        RuntimeError: if LLVM cannot make machine code of it.
    """
    lib = _ffi().lib
    with _ffi().OutputString() as message:
        buffer = _call("LLVMPY_TargetMachineEmitToMemory", machine, module, 1, message)
        if not buffer:
            raise RuntimeError(str(message))
    try:
        return ctypes.string_at(lib.LLVMPY_GetBufferStart(buffer), lib.LLVMPY_GetBufferSize(buffer))
    finally:
        lib.LLVMPY_DisposeMemoryBuffer(buffer)


def _call(name: str, *arguments: Any) -> Any:
    function = _function(name)
    with CALLS.one():
        return function(*arguments)


@functools.cache
def _function(name: str) -> Any:
    """A function of llvmlite's library as it is behind the lock."""
    locked = getattr(_ffi().lib, name)
    function = getattr(_library(), name)
    function.argtypes, function.restype = locked.argtypes, locked.restype
    return function


@functools.cache
def _library() -> ctypes.CDLL:
    lib = _ffi().lib
    return ctypes.CDLL(lib._name, handle=lib._handle)


@functools.cache
def _ffi() -> Any:
    native.binding()
    from llvmlite.binding import ffi

    return ffi
