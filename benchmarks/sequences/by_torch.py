"""In PyTorch: eagerly with its own LSTM, and with all else compiled around it."""

from collections.abc import Callable
from typing import Any

from benchmarks.case import Run
from benchmarks.sequences.problem import BETA1, BETA2, CLASSES, EPS, RATE, Problem


def training(torch: Any, problem: Problem, *, compiled: bool) -> dict[str, Run]:
    """By name: eager; compiled loss and gradients, in which the LSTM stays a call."""
    x, y = torch.from_numpy(problem.x), torch.from_numpy(problem.y).reshape(-1)

    class Model(torch.nn.Module):  # type: ignore[misc]  # torch is an argument
        def __init__(self) -> None:
            super().__init__()
            self.lstm = torch.nn.LSTM(problem.x.shape[2], problem.hidden)
            self.head = torch.nn.Linear(problem.hidden, CLASSES)

        def forward(self, x: Any) -> Any:
            return self.head(self.lstm(x)[0]).reshape(-1, CLASSES)

    def run_of(around: Callable[[Any], Any]) -> Run:
        model = Model()
        with torch.no_grad():
            for name, parameter in model.named_parameters():
                value = problem.weights.get(name)
                parameter.copy_(torch.from_numpy(value)) if value is not None else parameter.zero_()
        optimizer = torch.optim.Adam(
            model.parameters(), lr=RATE, betas=(BETA1, BETA2), eps=EPS, fused=True
        )
        loss_of = around(lambda x, y: torch.nn.functional.cross_entropy(model(x), y))

        def run() -> Any:
            optimizer.zero_grad()
            loss = loss_of(x, y)
            loss.backward()
            optimizer.step()
            return loss.detach().numpy()

        return run

    runs = {"torch": run_of(lambda function: function)}
    if compiled:
        runs["torch.compile loss"] = run_of(torch.compile)
    return runs
