"""Public face: ``graphc.func``."""

from graphc.frontend.func.forward import jvp as jvp
from graphc.frontend.func.forward import linearize as linearize
from graphc.frontend.func.jacobians import hessian as hessian
from graphc.frontend.func.jacobians import jacfwd as jacfwd
from graphc.frontend.func.jacobians import jacrev as jacrev
from graphc.frontend.func.modules import functional_call as functional_call
from graphc.frontend.func.modules import (
    replace_all_batch_norm_modules_ as replace_all_batch_norm_modules_,
)
from graphc.frontend.func.modules import stack_module_state as stack_module_state
from graphc.frontend.func.reverse import grad as grad
from graphc.frontend.func.reverse import grad_and_value as grad_and_value
from graphc.frontend.func.reverse import vjp as vjp
from graphc.frontend.func.vmap import vmap as vmap
