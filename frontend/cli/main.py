"""The command line: ``graphc demo``, ``graphc doctor``, ``graphc cache``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from graphc.errors import GraphcError
from graphc.frontend.cli.demo import run_demo
from graphc.frontend.cli.doctor import print_diagnosis
from graphc.runtime.disk_cache import open_cache

app = typer.Typer(
    help="A static-graph compiler for array programs and neural networks.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
cache_app = typer.Typer(help="The disk cache of compiled kernels.", no_args_is_help=True)
app.add_typer(cache_app, name="cache")


@app.command()
def demo(
    output: Annotated[
        Path, typer.Option(help="Folder for the trained weights, the graph and the report.")
    ] = Path("graphc-demo"),
    epochs: Annotated[int, typer.Option(min=1, help="Passes over the training images.")] = 30,
    seed: Annotated[int, typer.Option(help="Seed of weights, order and dropout.")] = 0,
    backend: Annotated[str, typer.Option(help="llvm or numpy.")] = "llvm",
) -> None:
    """Train a classifier of handwritten digits as one compiled step, and show every stage."""
    run_demo(output, epochs=epochs, seed=seed, backend=backend)


@app.command()
def doctor() -> None:
    """Say what this machine offers and what graphc uses of it."""
    print_diagnosis()


@cache_app.command("ls")
def list_cache() -> None:
    """List the compiled objects on disk."""
    cache = open_cache()
    files = cache.entries()
    for file in files:
        typer.echo(f"{file.stat().st_size:>10,}  {file.name}")
    typer.echo(f"{len(files)} objects in {cache.directory} ({cache.status})")


@cache_app.command("clear")
def clear_cache() -> None:
    """Delete the compiled objects on disk."""
    typer.echo(f"{open_cache().clear()} objects deleted")


def main() -> None:
    """Run the command; mistakes end with exit code 1 and a message, not with a traceback."""
    try:
        app()
    except GraphcError as error:
        typer.echo(f"error: {error}", err=True)
        raise SystemExit(1) from None
