"""``python -m benchmarks``: all peers on all cases, in turns, in one process."""

import argparse
import json
import os
import platform
from pathlib import Path
from typing import Any

from benchmarks.peers import HOW, limit_threads, versions


def main() -> None:
    options = _options()
    limit_threads(options.threads)
    from benchmarks.suite import Options, run  # after the limit: libraries read it when they load

    print(f"{platform.machine()}, {os.cpu_count()} processors, Python {platform.python_version()}")
    print(f"{versions()}; every peer on {options.threads} thread(s)\n{HOW}")
    print("median, quartiles, and the time over that of graphc's compiled function\n")
    chosen = Options(options.only, options.quick, options.profile)
    results: dict[str, Any] = run(chosen)
    if options.json is not None:
        options.json.write_text(json.dumps(results, indent=2) + "\n")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "only", nargs="?", default="",
        help="run cases whose name contains this; besides their names: kernels, gemm, loading, "
        "startup",
    )  # fmt: skip
    parser.add_argument("--quick", action="store_true", help="small sizes, no torch.compile")
    parser.add_argument("--threads", type=int, default=1, help="threads of every peer (default 1)")
    parser.add_argument("--profile", action="store_true", help="also show graphc's profile")
    parser.add_argument("--json", type=Path, help="also write the results to this file")
    return parser.parse_args()


main()
