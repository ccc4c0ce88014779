"""What a session shows of its kernels: source, loops, LLVM's text and machine code."""

import numpy as np

import graphc as gc


def test_a_native_kernel_shows_everything() -> None:
    with gc.Graph() as graph:
        x = gc.placeholder((64, 100), name="x")
        graph.output(gc.softmax(x, -1), "y")
    session = graph.compile()
    session.run({"x": np.zeros((64, 100), np.float32)})
    (kernel,) = session.kernels()
    assert kernel.native
    text = str(kernel)
    assert "test_kernel_report.py" in text
    assert "amax" in text
    assert "phase 1" in kernel.schedule
    assert f"@{kernel.name}" in kernel.llvm
    assert kernel.name in kernel.assembly


def test_products_and_steps_of_numpy_show_what_they_have() -> None:
    with gc.Graph() as graph:
        x = gc.placeholder((8, 8), name="x")
        n = gc.placeholder((8, 8), gc.complex64, name="n")
        graph.output(x @ x, "y")
        graph.output(n @ n, "m")
    session = graph.compile()
    session.run({"x": np.zeros((8, 8), np.float32), "n": np.zeros((8, 8), np.complex64)})
    native, other = sorted(session.kernels(), key=lambda kernel: not kernel.native)
    assert "c[8, 8] = a[8, 8] @ b[8, 8]" in native.schedule
    assert "fma" in native.llvm
    assert not other.native
    assert "not native" in str(other)
    assert (other.schedule, other.llvm, other.assembly) == ("", "", "")
