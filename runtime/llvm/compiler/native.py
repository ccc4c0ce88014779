"""llvmlite, imported and initialized once, on first use."""

from __future__ import annotations

import functools
from typing import Any

from graphc.runtime.llvm.compiler.forks import IMPORTING


def binding() -> Any:
    """The ``llvmlite.binding`` module, with this machine's code generator ready."""
    with IMPORTING:
        return _initialized()


@functools.cache
def _initialized() -> Any:
    import llvmlite.binding as llvm

    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    llvm.initialize_native_asmparser()  # without it inline assembly aborts the process
    return llvm


def versions() -> str:
    """The versions that decide what an object file contains."""
    import llvmlite

    llvm = ".".join(str(part) for part in binding().llvm_version_info)
    return f"llvmlite {llvmlite.__version__} llvm {llvm}"
