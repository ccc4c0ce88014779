"""Anomaly detection: which line made the NaN, dynamically and in compiled programs."""

import threading
from typing import Any

import pytest

import graphc as gc
from graphc.errors import AutogradError

ZERO = gc.tensor([1.0, 0.0])


def leaf() -> gc.Tensor:
    return ZERO.clone().requires_grad_()


def harmful(x: gc.Tensor) -> gc.Tensor:
    root = x.sqrt()  # the gradient here is 0 / 0
    loss = (root * 0).sum()
    loss.backward()
    return x.grad * 1


def line(text: str) -> int:
    with open(__file__) as file:
        return next(n for n, row in enumerate(file, 1) if text in row)


def test_dynamic_backward_names_the_line() -> None:
    with gc.autograd.detect_anomaly(), pytest.raises(AutogradError) as caught:
        harmful(leaf())
    assert "gradient of input 0 of SqrtBackward0 is NaN" in str(caught.value)
    assert "1 NaN among 2 elements" in str(caught.value)
    assert f"test_anomaly.py:{line('0 / 0')}" in str(caught.value)


@pytest.mark.parametrize("backend", ["numpy", "llvm"])
def test_compiled_backward_names_the_line(backend: str) -> None:
    run = gc.compile(harmful, backend=backend)
    assert str(run(leaf()).tolist()) == "[0.0, nan]"
    for _ in range(2):
        with gc.autograd.detect_anomaly(), pytest.raises(AutogradError) as caught:
            run(leaf())
        assert "gradient of input 0 of SqrtBackward0 is NaN" in str(caught.value)
        assert f"test_anomaly.py:{line('0 / 0')}" in str(caught.value)
    with gc.autograd.detect_anomaly():
        assert run(gc.tensor([4.0], requires_grad=True)).tolist() == [0.0]
    assert str(run(leaf()).tolist()) == "[0.0, nan]"  # off again, as before
    assert "no_nan" not in str(run.session(leaf()).explain())


def test_a_failed_run_leaves_parameters_as_they_were() -> None:
    weight = gc.nn.Parameter(ZERO.clone())
    optimizer = gc.optim.SGD([weight], lr=0.1)

    @gc.compile
    def step() -> gc.Tensor:
        optimizer.zero_grad()
        loss = (weight.sqrt() * 0).sum()
        loss.backward()
        optimizer.step()
        return loss

    with gc.autograd.detect_anomaly(), pytest.raises(AutogradError, match="NaN"):
        step()
    assert weight.tolist() == [1.0, 0.0]


def test_nan_of_forward_and_of_unasked_gradients_is_none_of_it() -> None:
    with gc.autograd.detect_anomaly():
        x, y = leaf(), leaf()
        assert str((x / 0).tolist()) == "[inf, nan]"
        total = (x + y.sqrt() * 0).sum()
        assert gc.grad(total, x)[0].tolist() == [1.0, 1.0]


def test_switches() -> None:
    assert not gc.is_anomaly_enabled()
    with gc.autograd.detect_anomaly(check_nan=False):
        assert gc.is_anomaly_enabled()
        assert not gc.is_anomaly_check_nan_enabled()
        harmful(leaf())
        with gc.autograd.set_detect_anomaly(False):
            assert not gc.is_anomaly_enabled()
            assert gc.is_anomaly_check_nan_enabled()
        assert gc.is_anomaly_enabled()
    assert not gc.is_anomaly_enabled()
    assert gc.is_anomaly_check_nan_enabled()
    gc.autograd.set_detect_anomaly(True)
    with pytest.raises(AutogradError, match="NaN"):
        harmful(leaf())
    gc.autograd.set_detect_anomaly(False)
    harmful(leaf())


def test_lines_that_were_not_noted_are_not_invented() -> None:
    loss = (leaf().sqrt() * 0).sum()
    with gc.autograd.detect_anomaly(), pytest.raises(AutogradError, match="NaN") as caught:
        loss.backward()
    assert "created at: a line outside of detect_anomaly" in str(caught.value)


class Broken(gc.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: gc.Tensor) -> gc.Tensor:
        return x * 2

    @staticmethod
    def backward(ctx: Any, grad: gc.Tensor) -> gc.Tensor:
        raise ZeroDivisionError


class Lost(Broken):
    @staticmethod
    def backward(ctx: Any, grad: gc.Tensor) -> gc.Tensor:
        return grad * float("nan")


def test_custom_functions_name_their_call() -> None:
    with gc.autograd.detect_anomaly():
        y = Broken.apply(leaf())  # broken call
        with pytest.raises(ZeroDivisionError) as caught:
            y.sum().backward()
        (note,) = caught.value.__notes__
        assert "BrokenBackward" in note
        assert f"test_anomaly.py:{line('# broken call')}" in note
        with pytest.raises(AutogradError, match="LostBackward is NaN"):
            Lost.apply(leaf()).sum().backward()


def test_it_is_a_thread_s_own() -> None:
    found: list[bool] = []
    with gc.autograd.detect_anomaly():
        thread = threading.Thread(target=lambda: found.append(gc.is_anomaly_enabled()))
        thread.start()
        thread.join()
    assert found == [False]


def test_a_compiled_function_tells_that_it_was_traced_again_for_the_search() -> None:
    double = gc.compile(lambda x: x * 2, backend="numpy")
    double(gc.ones(2))
    with gc.autograd.detect_anomaly():
        double(gc.ones(2))
    assert double.cache_info().reasons[1:] == ("detection of NaN was False, is True",)
