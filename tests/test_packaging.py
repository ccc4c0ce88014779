"""The wheel: it holds every package and the data, and works far from the checkout."""

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.sources import FOLDERS, PROJECT, ROOT, module_name

PUBLIC_PATHS = (
    "graphc",
    "graphc.autograd",
    "graphc.fft",
    "graphc.linalg",
    "graphc.nn",
    "graphc.nn.functional",
    "graphc.nn.init",
    "graphc.nn.utils",
    "graphc.nn.utils.rnn",
    "graphc.optim",
    "graphc.optim.lr_scheduler",
    "graphc.optim.optimizer",
    "graphc.optim.swa_utils",
    "graphc.random",
    "graphc.special",
    "graphc.utils.data",
)

IMPORT_RATIO = 2.0
"""Of the time that graphc adds to NumPy's import; about 1.3 as measured."""


@dataclass(frozen=True)
class Installed:
    """A fresh environment that holds the wheel, and finds the dependencies where they are."""

    wheel: Path
    home: Path

    @property
    def scripts(self) -> Path:
        return self.home / "bin"

    def python(self, code: str) -> str:
        """Run `code` outside the checkout and return what it prints."""
        return self.run(str(self.scripts / "python"), "-W", "error", "-c", code)

    def run(self, *command: str) -> str:
        clean = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
        done = subprocess.run(command, cwd=self.home, env=clean, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """Build the wheel from a copy of the sources and install it, without any download."""
    place = tmp_path_factory.mktemp("packaging")
    copy, home = place / "source", place / "environment"
    unwanted = shutil.ignore_patterns("__pycache__")
    for folder in FOLDERS.values():
        shutil.copytree(ROOT / folder, copy / folder, ignore=unwanted)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy)
    _succeed("-m", "build", "--wheel", "--no-isolation", "--outdir", str(place), str(copy))
    [wheel] = place.glob("*.whl")

    venv.create(home, with_pip=False, symlinks=True)
    python = str(home / "bin" / "python")
    _succeed("-m", "pip", "--python", python, "install", "--no-deps", "--no-index", str(wheel))
    # Folders named in a .pth file join the path, but their own .pth files are not read: the
    # dependencies are found there, an editable install of graphc is not.
    shared = dict.fromkeys(sysconfig.get_path(kind) for kind in ("purelib", "platlib"))
    [own] = home.glob("lib/python*/site-packages")
    (own / "dependencies.pth").write_text("\n".join(shared))
    return Installed(wheel, home)


def _succeed(*arguments: str) -> None:
    done = subprocess.run([sys.executable, *arguments], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_package_is_listed() -> None:
    on_disk = {
        module_name(path.parent / "__init__.py")
        for folder in FOLDERS.values()
        for path in (ROOT / folder).rglob("*.py")
    }
    listed = PROJECT["tool"]["setuptools"]["packages"]
    assert listed == sorted(on_disk), "run tools/packages.py, which writes the list"


def test_every_package_is_a_regular_one() -> None:
    folders = {path.parent for folder in FOLDERS.values() for path in (ROOT / folder).rglob("*.py")}
    bare = sorted(str(folder) for folder in folders if not (folder / "__init__.py").exists())
    assert bare == [], "these folders have sources but no __init__.py"


@pytest.mark.parametrize("name", PUBLIC_PATHS)
def test_public_path_imports_from_the_wheel(installed: Installed, name: str) -> None:
    path = installed.python(f"import {name}; print({name}.__file__)").strip()
    assert Path(path).is_relative_to(installed.home)


def test_the_wheel_holds_every_source_and_the_data(installed: Installed) -> None:
    expected = {"graphc/py.typed"}
    for package, folder in FOLDERS.items():
        inside = package.replace(".", "/")
        for path in (ROOT / folder).rglob("*"):
            if path.suffix in {".py", ".npz", ".txt"}:
                expected.add(f"{inside}/{path.relative_to(ROOT / folder).as_posix()}")
    with zipfile.ZipFile(installed.wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert held == expected
    assert {"graphc/frontend/data/digits.npz", "graphc/frontend/data/digits.LICENSE.txt"} <= held


def test_the_digits_load_from_the_wheel(installed: Installed) -> None:
    code = (
        "from graphc.frontend.data.digits import load_digits\n"
        "images, labels = load_digits()\n"
        "print(images.shape, images.dtype, labels.shape, labels.dtype, images.sum())"
    )
    assert installed.python(code).strip() == "(1797, 8, 8) uint8 (1797,) uint8 561718"


def test_the_command_is_installed(installed: Installed) -> None:
    assert "demo" in installed.run(str(installed.scripts / "graphc"), "--help")


def test_import_is_quick(installed: Installed) -> None:
    """In units of NumPy's import, as machines differ and others may use this one.

    What counts is processor time of the importing thread, for NumPy starts others.
    """
    code = (
        "from time import thread_time as now; "
        "start = now(); import numpy; middle = now(); import graphc; "
        "print((now() - middle) / (middle - start))"
    )
    ratios: list[float] = []
    while len(ratios) < 15 and min(ratios, default=IMPORT_RATIO) >= IMPORT_RATIO:
        ratios.append(float(installed.python(code)))
    assert min(ratios) < IMPORT_RATIO, f"times of NumPy's import: {ratios}"


def test_import_loads_the_compiler_when_it_is_used(installed: Installed) -> None:
    code = (
        "import sys, graphc; "
        "loaded = lambda: 'graphc.passes.pipeline' in sys.modules; "
        "before = loaded(); graphc.compile; print(before, loaded())"
    )
    assert installed.python(code).split() == ["False", "True"]


def test_import_leaves_heavy_libraries_alone(installed: Installed) -> None:
    heavy = "{'llvmlite', 'networkx', 'scipy', 'rich', 'typer', 'tqdm', 'safetensors'}"
    code = f"import sys, graphc; print(sorted({heavy} & sys.modules.keys()), graphc.__file__)"
    loaded, path = installed.python(code).rsplit(maxsplit=1)
    assert loaded == "[]"
    assert Path(path).is_relative_to(installed.home)


def test_the_build_tool_of_the_checkout_is_declared() -> None:
    backend = PROJECT["build-system"]["requires"]
    assert set(backend) <= set(PROJECT["project"]["optional-dependencies"]["dev"])


def test_the_licence_of_the_data_travels_along(installed: Installed) -> None:
    with zipfile.ZipFile(installed.wheel) as archive:
        [metadata] = [name for name in archive.namelist() if name.endswith("/METADATA")]
        fields = archive.read(metadata).decode().split("\n\n")[0].splitlines()
    assert "License-Expression: Apache-2.0 AND CC-BY-4.0" in fields
    assert "License-File: frontend/data/digits.LICENSE.txt" in fields
