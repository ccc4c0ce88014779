"""Noting the time inside a native program."""

from __future__ import annotations

import sys

from graphc.runtime.llvm.ir.module import Module

STAMP = "graphc.stamp"
"""``void (ptr times, i64 index)``: note the time at an index, unless ``times`` is null."""

STAMP_BYTES = 16
"""The size of one note: seconds and nanoseconds, an i64 each."""

_MONOTONIC = 6 if sys.platform == "darwin" else 1


def define_stamp(module: Module) -> None:
    """Add the function to a module, for its own use."""
    module.declare("clock_gettime", "declare i32 @clock_gettime(i32, ptr) nounwind")
    module.define(
        STAMP,
        f"""define internal void @{STAMP}(ptr %times, i64 %index) nounwind {{
entry:
  %asked = icmp ne ptr %times, null
  br i1 %asked, label %note, label %done
note:
  %offset = mul i64 %index, {STAMP_BYTES}
  %place = getelementptr i8, ptr %times, i64 %offset
  %ignored = call i32 @clock_gettime(i32 {_MONOTONIC}, ptr %place)
  br label %done
done:
  ret void
}}""",
    )
