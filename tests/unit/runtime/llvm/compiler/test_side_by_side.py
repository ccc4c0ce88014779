"""Compilations in several threads at once."""

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import pytest

from graphc.errors import CompileError
from graphc.runtime.llvm.compiler import engine
from graphc.runtime.llvm.compiler.target import host_target

FUNCTION = """
define <16 x float> @f{number}(<16 x float> %a, <16 x float> %b) {{
  %p = fmul <16 x float> %a, %b
  {steps}
  ret <16 x float> %p{last}
}}
"""


def _text(number: int, length: int = 400) -> str:
    names = ["%p", *(f"%p{step}" for step in range(length))]
    steps = "\n  ".join(f"{new} = fadd <16 x float> {old}, %b" for old, new in pairwise(names))
    return FUNCTION.format(number=number, steps=steps, last=length - 1)


def test_compilations_at_once_make_the_same_objects_as_one_after_the_other() -> None:
    target = host_target()
    texts = [_text(number) for number in range(24)]
    alone = [engine.compile_object(text, target) for text in texts]
    with ThreadPoolExecutor(4) as workers:
        together = list(workers.map(lambda text: engine.compile_object(text, target), texts))
    assert together == alone


def test_a_refused_text_among_good_ones_is_the_only_failure() -> None:
    target = host_target()
    texts = [_text(0), "define i32 @f() { nonsense }", _text(1)]
    with ThreadPoolExecutor(3) as workers:
        futures = [workers.submit(engine.compile_object, text, target) for text in texts]
    assert futures[0].result()
    assert futures[2].result()
    with pytest.raises(CompileError, match="LLVM refused the generated code"):
        futures[1].result()
