"""``python -m tests.native_fuzz --seeds 0:5000``: many seeds in processes of their own.

A process that dies or hangs is a finding like any other. Failures are printed as programs, shrunk
with ``--shrink``.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor

from tests.native_fuzz.check import Failure, Plan, check_program
from tests.native_fuzz.generate import generate
from tests.native_fuzz.program import Program
from tests.native_fuzz.shrink import shrink

CHUNK = 50
"""Seeds of one process."""

PATIENCE = 20
"""Seconds that a seed may take on average."""


def main() -> int:
    """Run the seeds; returns how many failed."""
    options = _options()
    first, behind = map(int, options.seeds.split(":"))
    if options.chunk:
        return _run_chunk(first, behind, options)
    starts = range(first, behind, CHUNK)
    start = time.monotonic()
    failed = 0
    with ThreadPoolExecutor(options.jobs) as workers, tempfile.TemporaryDirectory() as cache:
        chunks = [(begin, min(begin + CHUNK, behind)) for begin in starts]
        for failures in workers.map(lambda chunk: _start(chunk, options, cache), chunks):
            failed += len(failures)
            for text in failures:
                print(text, flush=True)
    seconds = time.monotonic() - start
    print(f"seeds {first} to {behind - 1}: {failed} failed, {seconds:.0f} s")
    return min(failed, 100)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.native_fuzz", description=__doc__)
    parser.add_argument("--seeds", default="0:100", help="first and the one behind the last")
    parser.add_argument("--isa", default="", help="avx512, avx2 or baseline; default: host")
    parser.add_argument("--threads", default="2,3", help="compared with one, separated by commas")
    parser.add_argument("--efforts", default="0", help="levels of LLVM, compared with 2")
    parser.add_argument("--jobs", type=int, default=1, help="processes at a time")
    parser.add_argument("--shrink", action="store_true", help="print the smallest program")
    parser.add_argument("--chunk", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


def _start(chunk: tuple[int, int], options: argparse.Namespace, cache: str) -> list[str]:
    """Run a chunk in a process; a chunk that dies goes on behind the seed that killed it."""
    begin, behind = chunk
    failures = []
    while begin < behind:
        command = [
            sys.executable, "-X", "faulthandler", "-m", "tests.native_fuzz", "--chunk",
            f"--seeds={begin}:{behind}", f"--isa={options.isa}", f"--threads={options.threads}",
            f"--efforts={options.efforts}", *["--shrink"] * options.shrink,
        ]  # fmt: skip
        environment = {**os.environ, "GRAPHC_CACHE_DIR": cache}
        with subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as process:
            try:
                out, errors = process.communicate(timeout=PATIENCE * (behind - begin))
                ending = f"the process ended with {process.returncode}"
            except subprocess.TimeoutExpired:
                process.kill()
                out, errors = process.communicate()
                ending = "the process took too long"
        *texts, last = out.split("\0")
        failures += [text for text in texts if "\n" in text.strip()]
        reached = [int(text) for text in texts if "\n" not in text.strip()]
        if process.returncode == 0:
            break
        begin = reached[-1] + 1 if reached else begin + 1
        failures.append(f"seed {begin - 1}: {ending}\n{last}\n{errors[-3000:]}")
    return failures


def _run_chunk(first: int, behind: int, options: argparse.Namespace) -> int:
    """Print each seed before it runs, and each failure; a zero byte ends every part."""
    plan = Plan(options.isa, _numbers(options.threads), _numbers(options.efforts))
    for seed in range(first, behind):
        print(seed, end="\0", flush=True)
        try:
            check_program(generate(seed), plan)
        except Failure as failure:
            print(_smallest(failure, plan) if options.shrink else failure, end="\0", flush=True)
        except Exception as error:
            print(f"seed {seed}: no program\n{type(error).__name__}: {error}", end="\0", flush=True)
    return 0


def _smallest(failure: Failure, plan: Plan) -> Failure:
    found = [failure]

    def fails(program: Program) -> bool:
        try:
            check_program(program, plan)
        except Failure as other:
            found.append(other)
            return True
        return False

    shrink(failure.program, fails)
    return found[-1]


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(",") if part)


if __name__ == "__main__":
    sys.exit(main())
