"""The processor's floating-point controls: rounding and denormals, the same in every thread.

A program may have told its own thread to flush denormal numbers to zero. The pool's threads follow
the caller, so that the results do not depend on which thread computed them.
"""

from __future__ import annotations

from graphc.runtime.llvm.ir.module import Module
from graphc.runtime.llvm.pool.text import define

_X86_CONTROLS = 0xFFC0
"""The bits of x86's register that control; the lower ones only record what happened."""


def define_controls(module: Module) -> None:
    """Add ``i64 @graphc.pool.controls()`` and ``void @graphc.pool.adopt(i64 controls)``."""
    if module.target.triple.startswith("x86_64"):
        module.declare("llvm.x86.sse.stmxcsr", "declare void @llvm.x86.sse.stmxcsr(ptr)")
        module.declare("llvm.x86.sse.ldmxcsr", "declare void @llvm.x86.sse.ldmxcsr(ptr)")
        read = f"""
          %place = alloca i32, align 4
          call void @llvm.x86.sse.stmxcsr(ptr %place)
          %all = load i32, ptr %place, align 4
          %kept = and i32 %all, {_X86_CONTROLS}
          %controls = zext i32 %kept to i64"""
        write = """
          %place = alloca i32, align 4
          %short = trunc i64 %wanted to i32
          store i32 %short, ptr %place, align 4
          call void @llvm.x86.sse.ldmxcsr(ptr %place)"""
    else:
        module.declare("llvm.aarch64.get.fpcr", "declare i64 @llvm.aarch64.get.fpcr()")
        module.declare("llvm.aarch64.set.fpcr", "declare void @llvm.aarch64.set.fpcr(i64)")
        read = """
          %controls = call i64 @llvm.aarch64.get.fpcr()"""
        write = """
          call void @llvm.aarch64.set.fpcr(i64 %wanted)"""
    define(
        module,
        "i64 @graphc.pool.controls()",
        f"""
        entry:{read}
          ret i64 %controls
        """,
    )
    define(
        module,
        "void @graphc.pool.set_controls(i64 %wanted)",
        f"""
        entry:{write}
          ret void
        """,
    )
    define(
        module,
        "void @graphc.pool.adopt(i64 %wanted)",
        """
        entry:
          %present = call i64 @graphc.pool.controls()
          %same = icmp eq i64 %present, %wanted
          br i1 %same, label %end, label %change
        change:
          call void @graphc.pool.set_controls(i64 %wanted)
          br label %end
        end:
          ret void
        """,
    )
