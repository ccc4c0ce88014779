"""What is computed must be right before it is timed."""

from dataclasses import replace

import numpy as np

from benchmarks.case import Array, Job

CHECKED_RUNS = 3
"""Results compared before timing; a training step gives another one each time."""


def require_agreement(name: str, job: Job) -> Job:
    """Run every peer a few times and compare.

    Args:
        name: the case's, for the message.
        job: what to run.

    Returns:
        The job without those forms of other libraries that do not work on this machine.

    Raises:
        SystemExit: if a peer computes something else than the first one.
    """
    expected: list[Array] = []
    working = dict(job.runs)
    for peer, run in job.runs.items():
        try:
            found = [np.array(run(), np.float64) for _ in range(CHECKED_RUNS)]
        except Exception as error:
            if not peer.startswith("torch.compile"):  # it needs a C++ toolchain, for instance
                raise
            print(f"  {peer} is left out: {type(error).__name__}")
            del working[peer]
            continue
        expected = expected or found
        for want, got in zip(expected, found, strict=True):
            gap = np.abs(want - got).max() / np.abs(want).max()
            if not gap <= job.tolerance:
                raise SystemExit(f"{name}: {peer} is off by {gap:.2g}, more than {job.tolerance}")
    return replace(job, runs=working)
