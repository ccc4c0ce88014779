"""Methods that write in place of ``Tensor``: one table, from the methods that make new tensors."""

from __future__ import annotations

from graphc.frontend.base import TensorBase
from graphc.frontend.functions import (
    inplace,
    python_calls,
    random_fills,
    shape_overwrites,
    slice_norms,
)  # fmt: skip
from graphc.frontend.functions.inplace import writes
from graphc.frontend.methods.indexing import IndexingMethods
from graphc.frontend.methods.pointwise import PointwiseMethods
from graphc.frontend.methods.products import ProductMethods
from graphc.frontend.methods.reduction import ReductionMethods


class InplaceMethods(TensorBase):
    """Methods that write in place; they take what the methods without ``_`` take."""

    __slots__ = ()

    copy_ = inplace.copy_
    fill_ = inplace.fill_
    zero_ = inplace.zero_
    fill_diagonal_ = inplace.fill_diagonal_
    detach_ = inplace.detach_
    uniform_ = random_fills.uniform_
    normal_ = random_fills.normal_
    log_normal_ = random_fills.log_normal_
    exponential_ = random_fills.exponential_
    cauchy_ = random_fills.cauchy_
    geometric_ = random_fills.geometric_
    bernoulli_ = random_fills.bernoulli_
    random_ = random_fills.random_
    add_ = writes(PointwiseMethods.add)
    sub_ = subtract_ = writes(PointwiseMethods.sub)
    mul_ = multiply_ = writes(PointwiseMethods.mul)
    div_ = divide_ = writes(PointwiseMethods.div)
    true_divide_ = writes(PointwiseMethods.true_divide)
    floor_divide_ = writes(PointwiseMethods.floor_divide)
    remainder_ = writes(PointwiseMethods.remainder)
    pow_ = writes(PointwiseMethods.pow)
    neg_ = negative_ = writes(PointwiseMethods.neg)
    abs_ = absolute_ = writes(PointwiseMethods.abs)
    sign_ = writes(PointwiseMethods.sign)
    exp_ = writes(PointwiseMethods.exp)
    expm1_ = writes(PointwiseMethods.expm1)
    log_ = writes(PointwiseMethods.log)
    log1p_ = writes(PointwiseMethods.log1p)
    sqrt_ = writes(PointwiseMethods.sqrt)
    rsqrt_ = writes(PointwiseMethods.rsqrt)
    square_ = writes(PointwiseMethods.square)
    reciprocal_ = writes(PointwiseMethods.reciprocal)
    sin_ = writes(PointwiseMethods.sin)
    cos_ = writes(PointwiseMethods.cos)
    tan_ = writes(PointwiseMethods.tan)
    tanh_ = writes(PointwiseMethods.tanh)
    sigmoid_ = writes(PointwiseMethods.sigmoid)
    erf_ = writes(PointwiseMethods.erf)
    floor_ = writes(PointwiseMethods.floor)
    ceil_ = writes(PointwiseMethods.ceil)
    round_ = writes(PointwiseMethods.round)
    trunc_ = fix_ = writes(PointwiseMethods.trunc)
    frac_ = writes(PointwiseMethods.frac)
    clamp_ = clip_ = writes(PointwiseMethods.clamp)
    eq_ = writes(PointwiseMethods.eq)
    ne_ = not_equal_ = writes(PointwiseMethods.ne)
    lt_ = less_ = writes(PointwiseMethods.lt)
    le_ = less_equal_ = writes(PointwiseMethods.le)
    gt_ = greater_ = writes(PointwiseMethods.gt)
    ge_ = greater_equal_ = writes(PointwiseMethods.ge)
    logical_and_ = writes(PointwiseMethods.logical_and)
    logical_or_ = writes(PointwiseMethods.logical_or)
    logical_xor_ = writes(PointwiseMethods.logical_xor)
    logical_not_ = writes(PointwiseMethods.logical_not)
    bitwise_and_ = writes(PointwiseMethods.bitwise_and)
    bitwise_or_ = writes(PointwiseMethods.bitwise_or)
    bitwise_xor_ = writes(PointwiseMethods.bitwise_xor)
    bitwise_not_ = writes(PointwiseMethods.bitwise_not)
    bitwise_left_shift_ = writes(PointwiseMethods.bitwise_left_shift)
    bitwise_right_shift_ = writes(PointwiseMethods.bitwise_right_shift)
    relu_ = writes(PointwiseMethods.relu)
    masked_fill_ = writes(PointwiseMethods.masked_fill)
    asin_ = arcsin_ = writes(PointwiseMethods.asin)
    acos_ = arccos_ = writes(PointwiseMethods.acos)
    atan_ = arctan_ = writes(PointwiseMethods.atan)
    sinh_ = writes(PointwiseMethods.sinh)
    cosh_ = writes(PointwiseMethods.cosh)
    asinh_ = arcsinh_ = writes(PointwiseMethods.asinh)
    acosh_ = arccosh_ = writes(PointwiseMethods.acosh)
    atanh_ = arctanh_ = writes(PointwiseMethods.atanh)
    atan2_ = arctan2_ = writes(PointwiseMethods.atan2)
    hypot_ = writes(PointwiseMethods.hypot)
    deg2rad_ = writes(PointwiseMethods.deg2rad)
    rad2deg_ = writes(PointwiseMethods.rad2deg)
    sinc_ = writes(PointwiseMethods.sinc)
    exp2_ = writes(PointwiseMethods.exp2)
    log2_ = writes(PointwiseMethods.log2)
    log10_ = writes(PointwiseMethods.log10)
    logit_ = writes(PointwiseMethods.logit)
    xlogy_ = writes(PointwiseMethods.xlogy)
    float_power_ = writes(PointwiseMethods.float_power)
    ldexp_ = writes(PointwiseMethods.ldexp)
    copysign_ = writes(PointwiseMethods.copysign)
    nextafter_ = writes(PointwiseMethods.nextafter)
    gcd_ = writes(PointwiseMethods.gcd)
    lcm_ = writes(PointwiseMethods.lcm)
    fmod_ = writes(PointwiseMethods.fmod)
    heaviside_ = writes(PointwiseMethods.heaviside)
    nan_to_num_ = writes(PointwiseMethods.nan_to_num)
    clamp_min_ = writes(PointwiseMethods.clamp_min)
    clamp_max_ = writes(PointwiseMethods.clamp_max)
    lerp_ = writes(PointwiseMethods.lerp)
    addcmul_ = writes(PointwiseMethods.addcmul)
    addcdiv_ = writes(PointwiseMethods.addcdiv)
    conj_physical_ = writes(PointwiseMethods.conj_physical)
    sgn_ = writes(PointwiseMethods.sgn)
    erfc_ = writes(PointwiseMethods.erfc)
    erfinv_ = writes(PointwiseMethods.erfinv)
    lgamma_ = writes(PointwiseMethods.lgamma)
    digamma_ = writes(PointwiseMethods.digamma)
    mvlgamma_ = writes(PointwiseMethods.mvlgamma)
    i0_ = writes(PointwiseMethods.i0)
    igamma_ = writes(PointwiseMethods.igamma)
    igammac_ = writes(PointwiseMethods.igammac)
    polygamma_ = writes(PointwiseMethods.polygamma)
    cumsum_ = writes(ReductionMethods.cumsum)
    cumprod_ = writes(ReductionMethods.cumprod)
    addmm_ = writes(ProductMethods.addmm)
    addmv_ = writes(ProductMethods.addmv)
    addr_ = writes(ProductMethods.addr)
    addbmm_ = writes(ProductMethods.addbmm)
    baddbmm_ = writes(ProductMethods.baddbmm)
    scatter_ = writes(IndexingMethods.scatter)
    scatter_add_ = writes(IndexingMethods.scatter_add)
    scatter_reduce_ = writes(IndexingMethods.scatter_reduce)
    index_add_ = writes(IndexingMethods.index_add)
    index_copy_ = writes(IndexingMethods.index_copy)
    index_fill_ = writes(IndexingMethods.index_fill)
    index_reduce_ = writes(IndexingMethods.index_reduce)
    index_put_ = writes(IndexingMethods.index_put)
    put_ = writes(IndexingMethods.put)
    masked_scatter_ = writes(IndexingMethods.masked_scatter)
    tril_ = writes(IndexingMethods.tril)
    triu_ = writes(IndexingMethods.triu)
    t_ = shape_overwrites.t_
    transpose_ = shape_overwrites.transpose_
    swapaxes_ = shape_overwrites.swapaxes_
    swapdims_ = shape_overwrites.swapdims_
    squeeze_ = shape_overwrites.squeeze_
    unsqueeze_ = shape_overwrites.unsqueeze_
    resize_ = shape_overwrites.resize_
    resize_as_ = shape_overwrites.resize_as_
    renorm_ = writes(slice_norms.renorm)
    apply_ = python_calls.apply_
    map_ = python_calls.map_
    map2_ = python_calls.map2_
    __iadd__ = add_
    __isub__ = sub_
    __imul__ = mul_
    __itruediv__ = div_
    __ifloordiv__ = floor_divide_
    __imod__ = remainder_
    __ipow__ = pow_
    __iand__ = bitwise_and_
    __ior__ = bitwise_or_
    __ixor__ = bitwise_xor_
    __ilshift__ = bitwise_left_shift_
    __irshift__ = bitwise_right_shift_
