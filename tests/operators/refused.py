"""Arguments and forms that PyTorch takes and graphc does not: calls that raise, with the reason."""

from collections.abc import Iterator
from dataclasses import dataclass

from tests.operators.notation import Call, calls

FUNCTIONS = """
zeros(2, out=F2) # results are new tensors; x.copy_(y) writes into one that is there
zeros(2, layout=None) # tensors are dense
zeros(2, pin_memory=True) # there is one device
zeros_like(F2, memory_format=None) # the order of dims in memory is that of the shape
mm(F23, F32, out_dtype=float64) # cast the operands, or the result
bmm(F223, F232, out_dtype=float64) # cast the operands, or the result
addmm(F2, F23, F32, out_dtype=float64) # cast the operands, or the result
baddbmm(F2, F223, F232, out_dtype=float64) # cast the operands, or the result
from_dlpack(F2, copy=True) # memory is shared; clone() copies it
from_dlpack(F2, device="cpu") # there is one device
lu(F33, get_infos=True) # a matrix without factors is an error
lu(F33, pivot=False) # factors without a permutation lose digits
zeros(2, device="cuda") # there is one device
rrelu(F23, generator=None) # manual_seed decides
"""

METHODS = """
F23.to("cuda") # there is one device
F23.dim_order(ambiguity_check=True) # the order of dims is known
F23.is_pinned(device="cpu") # there is one device
F23.contiguous(memory_format=None) # the order of dims in memory is that of the shape
"""

SPECIAL = """
chebyshev_polynomial_t(F2, K2) # the degree is a number
hermite_polynomial_h(F2, K2) # the degree is a number
legendre_polynomial_p(F2, K2) # the degree is a number
"""

TEXTS = {"graphc": FUNCTIONS, "graphc.Tensor": METHODS, "graphc.special": SPECIAL}


@dataclass(frozen=True)
class Refused:
    """A call that raises, and why it does."""

    call: Call
    reason: str


def refused() -> Iterator[Refused]:
    """All of them."""
    for place, text in TEXTS.items():
        for line in text.strip().splitlines():
            written, reason = line.split(" # ")
            (call,) = calls(place, written)
            yield Refused(call, reason)
