"""``python -m benchmarks``: all peers on all cases, in turns, in one process."""

import argparse
import json
import os
import platform
import sys
from pathlib import Path
from typing import Any

from benchmarks.peers import limit_threads, versions


def main() -> None:
    options = _options()
    limit_threads(options.threads)
    from benchmarks.suite import run  # after the limit: libraries read it when they load

    print(f"{platform.machine()}, {os.cpu_count()} processors, Python {platform.python_version()}")
    print(f"{versions()}; every peer on {options.threads} thread(s)")
    print("median ±quartile distance, ratio to graphc (above 1: graphc is faster)\n")
    results: dict[str, Any] = run(options.only, options.quick)
    if options.json is not None:
        options.json.write_text(json.dumps(results, indent=2) + "\n")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("only", nargs="?", default="", help="run cases whose name contains this")
    parser.add_argument("--quick", action="store_true", help="small sizes, no torch.compile")
    parser.add_argument("--threads", type=int, default=1, help="threads of every peer (default 1)")
    parser.add_argument("--json", type=Path, help="also write the results to this file")
    options = parser.parse_args()
    if options.threads != 1:
        print("graphc's kernels run on one thread; only its BLAS uses more", file=sys.stderr)
    return options


main()
