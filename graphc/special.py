"""Public face: ``graphc.special``."""

from graphc.frontend.functions.pointwise import erf as erf
from graphc.frontend.functions.pointwise import expm1 as expm1
from graphc.frontend.functions.pointwise import log1p as log1p
from graphc.frontend.functions.pointwise import round as round
from graphc.frontend.functions.pointwise import sigmoid as expit  # noqa: F401 - PyTorch's name
from graphc.frontend.functions.reduction import log_softmax as log_softmax
from graphc.frontend.functions.reduction import logsumexp as logsumexp
from graphc.frontend.functions.reduction import softmax as softmax
