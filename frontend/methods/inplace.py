"""Methods that write in place of ``Tensor``."""

from __future__ import annotations

from graphc.frontend.base import TensorBase
from graphc.frontend.functions import inplace


class InplaceMethods(TensorBase):
    """Methods that write in place; see the functions of the same names."""

    __slots__ = ()

    copy_ = inplace.copy_
    fill_ = inplace.fill_
    zero_ = inplace.zero_
    add_ = inplace.add_
    sub_ = inplace.sub_
    mul_ = inplace.mul_
    div_ = inplace.div_
    clamp_ = inplace.clamp_
    uniform_ = inplace.uniform_
    normal_ = inplace.normal_
    detach_ = inplace.detach_
