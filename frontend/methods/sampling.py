"""Methods that draw random numbers of ``Tensor``."""

from __future__ import annotations

from graphc.frontend.base import TensorBase
from graphc.frontend.functions import distributions


class SamplingMethods(TensorBase):
    """Methods that draw random numbers; see the functions of the same names."""

    __slots__ = ()

    bernoulli = distributions.bernoulli
    multinomial = distributions.multinomial
