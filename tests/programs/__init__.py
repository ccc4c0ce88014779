"""The program zoo: small programs with an oracle each, for tests that run programs."""

from tests.programs import arithmetic as arithmetic
from tests.programs import control as control
from tests.programs import indexing as indexing
from tests.programs import layout as layout
from tests.programs import reductions as reductions
from tests.programs import sampling as sampling
from tests.programs import training as training
from tests.programs.base import PROGRAMS as PROGRAMS
from tests.programs.base import Program as Program
