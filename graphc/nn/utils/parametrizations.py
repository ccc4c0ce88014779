"""Parametrizations of weights (``torch.nn.utils.parametrizations``)."""

from graphc.frontend.nn.utils.parametrizations import orthogonal as orthogonal
from graphc.frontend.nn.utils.parametrizations import spectral_norm as spectral_norm
from graphc.frontend.nn.utils.parametrizations import weight_norm as weight_norm
