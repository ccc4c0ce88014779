"""What every test gets: its own caches, repeatable randomness, golden files."""

import gc
import os
import shutil
import signal
import sys
import tempfile
import zlib
from pathlib import Path

import hypothesis
import numpy as np
import pytest

from tests.goldens import Golden

hypothesis.settings.register_profile("local", deadline=None)
hypothesis.settings.register_profile("ci", deadline=None, derandomize=True, database=None)
hypothesis.settings.load_profile("ci" if os.environ.get("CI") else "local")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of this test suite."""
    parser.addoption(
        "--update-golden",
        action="store_true",
        help="write tests/golden/ from what the tests produce now; read the diff before committing",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Keep tests out of the user's cache, verify the graph after every pass, keep bytecode."""
    # Jobs in the background start with Ctrl-C ignored, which programs of tests would inherit.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if hasattr(config, "workerinput"):
        return  # a worker of pytest-xdist inherits the environment made here
    cache = tempfile.mkdtemp(prefix="graphc-test-cache-")
    os.environ["GRAPHC_CACHE_DIR"] = cache
    os.environ.setdefault("GRAPHC_CHECK", "1")
    # Tests start some 200 interpreters: where none may keep bytecode, each compiles all it imports.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False
    config.add_cleanup(lambda: shutil.rmtree(cache, ignore_errors=True))


def pytest_collection_finish(session: pytest.Session) -> None:
    """Let no collection look at what pytest and the imports made, which stays to the end.

    These are millions of objects, some hundred milliseconds each time; and children that are
    forked need not copy them. PyTorch keeps to one thread: others would wait for work by spinning.
    """
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)
    gc.collect()
    gc.freeze()


@pytest.fixture
def rng(request: pytest.FixtureRequest) -> np.random.Generator:
    """Return random numbers that depend on the test's id alone, not on order or worker."""
    return np.random.default_rng(zlib.crc32(request.node.nodeid.encode()))


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Golden:
    """Return what compares text with a file: ``golden(str(graph))``; see tests/goldens.py."""
    path = Path(request.node.path).relative_to(Path(__file__).parent).with_suffix("")
    return Golden(path, request.node.name, update=request.config.getoption("--update-golden"))
