"""The cases, in the order in which they run."""

from benchmarks.case import Case
from benchmarks.cases.call import CALL, CALLS
from benchmarks.cases.elementwise import CHAIN
from benchmarks.cases.rows import LAYER_NORM, SOFTMAX
from benchmarks.cases.training import TRAIN

CASES: tuple[Case, ...] = (TRAIN, SOFTMAX, LAYER_NORM, CHAIN, CALL, CALLS)
