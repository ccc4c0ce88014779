"""Public face: ``graphc.random``."""

from graphc.frontend.arguments.checks import check_functions as _check_functions
from graphc.frontend.functions.generators import Generator as Generator
from graphc.frontend.functions.generators import default_generator as default_generator
from graphc.frontend.functions.generators import fork_rng as fork_rng
from graphc.frontend.functions.generators import get_rng_state as get_rng_state
from graphc.frontend.functions.generators import initial_seed as initial_seed
from graphc.frontend.functions.generators import manual_seed as manual_seed
from graphc.frontend.functions.generators import seed as seed
from graphc.frontend.functions.generators import set_rng_state as set_rng_state

_check_functions(globals())
