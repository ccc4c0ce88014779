"""In PyTorch, eagerly and compiled, each with the optimizer that is fastest there."""

from collections.abc import Callable
from typing import Any

from benchmarks.case import Run
from benchmarks.mlp.problem import BETA1, BETA2, EPS, RATE, Problem


def _model(torch: Any, problem: Problem) -> Any:
    layers = []
    for weight in problem.weights:
        layer = torch.nn.Linear(weight.shape[1], weight.shape[0])
        with torch.no_grad():
            layer.weight.copy_(torch.from_numpy(weight))
            layer.bias.zero_()
        layers += [layer, torch.nn.ReLU()]
    return torch.nn.Sequential(*layers[:-1])


def _optimizer(torch: Any, model: Any, **how: bool) -> Any:
    return torch.optim.Adam(model.parameters(), lr=RATE, betas=(BETA1, BETA2), eps=EPS, **how)


def training(torch: Any, problem: Problem, *, compiled: bool) -> dict[str, Run]:
    """By name: eager; compiled loss and gradients; the compiled step with its optimizer.

    Adam's one-kernel form (``fused``) is the fastest beside eager code. Inside a compiled step it
    stays a call, so that the plain form, which the compiler fuses itself, is measured as well.
    """
    x, y = torch.from_numpy(problem.x), torch.from_numpy(problem.y)

    def loss_of(model: Any, x: Any, y: Any) -> Any:
        return torch.nn.functional.cross_entropy(model(x), y)

    def run_of(step: Callable[[Any, Any], Any]) -> Run:
        return lambda: step(x, y).numpy()

    def step_with(loss: Callable[[Any, Any, Any], Any], **how: bool) -> Callable[[Any, Any], Any]:
        model = _model(torch, problem)
        optimizer = _optimizer(torch, model, **how)

        def step(x: Any, y: Any) -> Any:
            optimizer.zero_grad()
            value = loss(model, x, y)
            value.backward()
            optimizer.step()
            return value.detach()

        return step

    runs = {"torch": run_of(step_with(loss_of, fused=True))}
    if compiled:
        runs["torch.compile loss"] = run_of(step_with(torch.compile(loss_of), fused=True))
        runs["torch.compile step"] = run_of(torch.compile(step_with(loss_of)))
    return runs


def forward(torch: Any, problem: Problem, *, compiled: bool) -> dict[str, Run]:
    """By name: eager and compiled, in inference mode."""
    x = torch.from_numpy(problem.x)

    def run_of(model: Any) -> Run:
        def run() -> Any:
            with torch.inference_mode():
                return model(x).numpy()

        return run

    runs = {"torch": run_of(_model(torch, problem).eval())}
    if compiled:
        runs["torch.compile"] = run_of(torch.compile(_model(torch, problem).eval()))
    return runs
