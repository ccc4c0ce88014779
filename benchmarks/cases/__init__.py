"""The cases, in the order in which they run."""

from benchmarks.case import Case
from benchmarks.cases.call import CALL
from benchmarks.cases.elementwise import CHAIN
from benchmarks.cases.images import IMAGES
from benchmarks.cases.inference import FORWARD
from benchmarks.cases.rows import ROWS
from benchmarks.cases.sequences import SEQUENCES
from benchmarks.cases.training import TRAINING

CASES: tuple[Case, ...] = (*TRAINING, *IMAGES, *SEQUENCES, FORWARD, ROWS, CHAIN, CALL)
