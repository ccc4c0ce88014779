"""Public face: ``graphc.special``."""

from graphc.frontend.arguments.checks import check_functions as _check_functions
from graphc.frontend.functions.exponential import exp2 as exp2
from graphc.frontend.functions.exponential import expm1 as expm1
from graphc.frontend.functions.exponential import log1p as log1p
from graphc.frontend.functions.exponential import logit as logit
from graphc.frontend.functions.exponential import xlogy as xlogy
from graphc.frontend.functions.polynomials import chebyshev_polynomial_t as chebyshev_polynomial_t
from graphc.frontend.functions.polynomials import chebyshev_polynomial_u as chebyshev_polynomial_u
from graphc.frontend.functions.polynomials import chebyshev_polynomial_v as chebyshev_polynomial_v
from graphc.frontend.functions.polynomials import chebyshev_polynomial_w as chebyshev_polynomial_w
from graphc.frontend.functions.polynomials import hermite_polynomial_h as hermite_polynomial_h
from graphc.frontend.functions.polynomials import hermite_polynomial_he as hermite_polynomial_he
from graphc.frontend.functions.polynomials import laguerre_polynomial_l as laguerre_polynomial_l
from graphc.frontend.functions.polynomials import legendre_polynomial_p as legendre_polynomial_p
from graphc.frontend.functions.polynomials import (
    shifted_chebyshev_polynomial_t as shifted_chebyshev_polynomial_t,
)
from graphc.frontend.functions.polynomials import (
    shifted_chebyshev_polynomial_u as shifted_chebyshev_polynomial_u,
)
from graphc.frontend.functions.polynomials import (
    shifted_chebyshev_polynomial_v as shifted_chebyshev_polynomial_v,
)
from graphc.frontend.functions.polynomials import (
    shifted_chebyshev_polynomial_w as shifted_chebyshev_polynomial_w,
)
from graphc.frontend.functions.rounding import round as round
from graphc.frontend.functions.softmaxes import log_softmax as log_softmax
from graphc.frontend.functions.softmaxes import logsumexp as logsumexp
from graphc.frontend.functions.softmaxes import softmax as softmax
from graphc.frontend.functions.special import airy_ai as airy_ai
from graphc.frontend.functions.special import bessel_j0 as bessel_j0
from graphc.frontend.functions.special import bessel_j1 as bessel_j1
from graphc.frontend.functions.special import bessel_y0 as bessel_y0
from graphc.frontend.functions.special import bessel_y1 as bessel_y1
from graphc.frontend.functions.special import digamma as digamma
from graphc.frontend.functions.special import entr as entr
from graphc.frontend.functions.special import erf as erf
from graphc.frontend.functions.special import erfc as erfc
from graphc.frontend.functions.special import erfcx as erfcx
from graphc.frontend.functions.special import erfinv as erfinv
from graphc.frontend.functions.special import expit as expit
from graphc.frontend.functions.special import gammainc as gammainc
from graphc.frontend.functions.special import gammaincc as gammaincc
from graphc.frontend.functions.special import gammaln as gammaln
from graphc.frontend.functions.special import i0 as i0
from graphc.frontend.functions.special import i0e as i0e
from graphc.frontend.functions.special import i1 as i1
from graphc.frontend.functions.special import i1e as i1e
from graphc.frontend.functions.special import log_ndtr as log_ndtr
from graphc.frontend.functions.special import modified_bessel_i0 as modified_bessel_i0
from graphc.frontend.functions.special import modified_bessel_i1 as modified_bessel_i1
from graphc.frontend.functions.special import modified_bessel_k0 as modified_bessel_k0
from graphc.frontend.functions.special import modified_bessel_k1 as modified_bessel_k1
from graphc.frontend.functions.special import multigammaln as multigammaln
from graphc.frontend.functions.special import ndtr as ndtr
from graphc.frontend.functions.special import ndtri as ndtri
from graphc.frontend.functions.special import polygamma as polygamma
from graphc.frontend.functions.special import psi as psi
from graphc.frontend.functions.special import scaled_modified_bessel_k0 as scaled_modified_bessel_k0
from graphc.frontend.functions.special import scaled_modified_bessel_k1 as scaled_modified_bessel_k1
from graphc.frontend.functions.special import spherical_bessel_j0 as spherical_bessel_j0
from graphc.frontend.functions.special import xlog1py as xlog1py
from graphc.frontend.functions.special import zeta as zeta
from graphc.frontend.functions.trigonometric import sinc as sinc

_check_functions(globals())
