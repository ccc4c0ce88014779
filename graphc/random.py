"""Public face: ``graphc.random``."""

from graphc.frontend.functions.sampling import get_rng_state as get_rng_state
from graphc.frontend.functions.sampling import initial_seed as initial_seed
from graphc.frontend.functions.sampling import manual_seed as manual_seed
from graphc.frontend.functions.sampling import seed as seed
from graphc.frontend.functions.sampling import set_rng_state as set_rng_state
