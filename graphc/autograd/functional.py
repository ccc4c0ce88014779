"""Public face: ``graphc.autograd.functional``."""

from graphc.frontend.autograd.functional import hessian as hessian
from graphc.frontend.autograd.functional import hvp as hvp
from graphc.frontend.autograd.functional import jacobian as jacobian
from graphc.frontend.autograd.functional import jvp as jvp
from graphc.frontend.autograd.functional import vhp as vhp
from graphc.frontend.autograd.functional import vjp as vjp
