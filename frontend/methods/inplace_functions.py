"""The methods that write in place, as functions, where PyTorch has them."""

from __future__ import annotations

from graphc.frontend.functions.shape_overwrites import resize_as_
from graphc.frontend.methods.inplace import InplaceMethods as Methods

__all__ = [
    "abs_",
    "acos_",
    "acosh_",
    "addmv_",
    "arccos_",
    "arccosh_",
    "arcsin_",
    "arcsinh_",
    "arctan_",
    "arctanh_",
    "asin_",
    "asinh_",
    "atan_",
    "atanh_",
    "ceil_",
    "clamp_",
    "clamp_max_",
    "clamp_min_",
    "clip_",
    "conj_physical_",
    "cos_",
    "cosh_",
    "deg2rad_",
    "detach_",
    "erf_",
    "erfc_",
    "exp2_",
    "exp_",
    "expm1_",
    "fill_",
    "fix_",
    "floor_",
    "frac_",
    "gcd_",
    "i0_",
    "index_put_",
    "lcm_",
    "ldexp_",
    "log1p_",
    "log2_",
    "log10_",
    "log_",
    "logit_",
    "nan_to_num_",
    "neg_",
    "negative_",
    "rad2deg_",
    "reciprocal_",
    "relu_",
    "resize_as_",
    "round_",
    "rsqrt_",
    "sigmoid_",
    "sin_",
    "sinc_",
    "sinh_",
    "sqrt_",
    "square_",
    "tan_",
    "tanh_",
    "trunc_",
    "xlogy_",
    "zero_",
]

abs_ = Methods.abs_
acos_ = Methods.acos_
acosh_ = Methods.acosh_
addmv_ = Methods.addmv_
arccos_ = Methods.arccos_
arccosh_ = Methods.arccosh_
arcsin_ = Methods.arcsin_
arcsinh_ = Methods.arcsinh_
arctan_ = Methods.arctan_
arctanh_ = Methods.arctanh_
asin_ = Methods.asin_
asinh_ = Methods.asinh_
atan_ = Methods.atan_
atanh_ = Methods.atanh_
ceil_ = Methods.ceil_
clamp_ = Methods.clamp_
clamp_max_ = Methods.clamp_max_
clamp_min_ = Methods.clamp_min_
clip_ = Methods.clip_
conj_physical_ = Methods.conj_physical_
cos_ = Methods.cos_
cosh_ = Methods.cosh_
deg2rad_ = Methods.deg2rad_
detach_ = Methods.detach_
erf_ = Methods.erf_
erfc_ = Methods.erfc_
exp2_ = Methods.exp2_
exp_ = Methods.exp_
expm1_ = Methods.expm1_
fill_ = Methods.fill_
fix_ = Methods.fix_
floor_ = Methods.floor_
frac_ = Methods.frac_
gcd_ = Methods.gcd_
i0_ = Methods.i0_
index_put_ = Methods.index_put_
lcm_ = Methods.lcm_
ldexp_ = Methods.ldexp_
log10_ = Methods.log10_
log1p_ = Methods.log1p_
log2_ = Methods.log2_
log_ = Methods.log_
logit_ = Methods.logit_
nan_to_num_ = Methods.nan_to_num_
neg_ = Methods.neg_
negative_ = Methods.negative_
rad2deg_ = Methods.rad2deg_
reciprocal_ = Methods.reciprocal_
relu_ = Methods.relu_
round_ = Methods.round_
rsqrt_ = Methods.rsqrt_
sigmoid_ = Methods.sigmoid_
sin_ = Methods.sin_
sinc_ = Methods.sinc_
sinh_ = Methods.sinh_
sqrt_ = Methods.sqrt_
square_ = Methods.square_
tan_ = Methods.tan_
tanh_ = Methods.tanh_
trunc_ = Methods.trunc_
xlogy_ = Methods.xlogy_
zero_ = Methods.zero_
