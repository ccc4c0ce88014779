"""Calls for as many random numbers share their code, and each has its own numbers."""

from __future__ import annotations

import pytest

import graphc as gc
from graphc.dtypes import int64
from graphc.runtime.llvm.compiler.target import host_target
from graphc.runtime.llvm.ir.module import Module
from graphc.runtime.llvm.kernels.iteration import Layout
from graphc.runtime.llvm.lowering.random_bits import build_random_bits
from tests.backends import BACKENDS

STATE = Layout.contiguous((2,), int64)


def test_a_call_more_is_a_few_lines_more() -> None:
    module = Module(host_target())
    symbols = {build_random_bits(module, STATE, 0, 100).phases[0].symbol}
    one = len(module.text())
    symbols |= {build_random_bits(module, STATE, call, 100).phases[0].symbol for call in range(50)}
    assert len(symbols) == 50
    assert (len(module.text()) - one) / 49 < one / 20


@pytest.mark.parametrize("backend", BACKENDS)
def test_every_call_has_its_own_numbers(backend: str) -> None:
    sizes = [0, 1, 63, 64, 65, 4097, 64, 1, 4097]

    def drawn() -> list[gc.Tensor]:
        return [gc.rand(size) for size in sizes]

    compiled = gc.compile(drawn, backend=backend)
    gc.manual_seed(5)
    wanted = [[x.tolist() for x in drawn()] for _ in range(2)]
    gc.manual_seed(5)
    found = [[x.tolist() for x in compiled()] for _ in range(2)]
    assert found == wanted
    assert len({str(each[:1]) for run in found for each in run if each}) == 16
