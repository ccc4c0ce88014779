"""In PyTorch: eagerly in both memory formats, and compiled."""

from collections.abc import Callable
from typing import Any

from benchmarks.case import Run
from benchmarks.images.problem import MOMENTUM, RATE, Problem


def training(torch: Any, problem: Problem, *, compiled: bool) -> dict[str, Run]:
    """By name: eager; eager with channels last in memory; the compiled step."""
    functions = torch.nn.functional
    y = torch.from_numpy(problem.y)

    def step_of(channels_last: bool, **how: bool) -> Callable[[Any, Any], Any]:
        parameters = [_lying(torch, values, channels_last) for values in problem.parameters]
        for parameter in parameters:
            parameter.requires_grad_(True)
        optimizer = torch.optim.SGD(parameters, lr=RATE, momentum=MOMENTUM, **how)

        def step(x: Any, y: Any) -> Any:
            optimizer.zero_grad()
            loss = functions.cross_entropy(problem.network(functions, parameters, x), y)
            loss.backward()
            optimizer.step()
            return loss.detach()

        return step

    def run_of(step: Callable[[Any, Any], Any], channels_last: bool) -> Run:
        x = _lying(torch, problem.x, channels_last)
        return lambda: step(x, y).numpy()

    runs = {
        "torch": run_of(step_of(False, fused=True), False),
        "torch channels last": run_of(step_of(True, fused=True), True),
    }
    if compiled:
        runs["torch.compile step"] = run_of(torch.compile(step_of(False)), False)
    return runs


def _lying(torch: Any, values: Any, channels_last: bool) -> Any:
    """A copy as tensor; images and kernels in the wanted memory format."""
    tensor = torch.tensor(values)
    if channels_last and tensor.ndim == 4:
        return tensor.to(memory_format=torch.channels_last)
    return tensor
