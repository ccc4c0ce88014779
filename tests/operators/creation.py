"""Calls that make tensors, draw random numbers, or tell facts."""

FUNCTIONS = """
arange(5); arange(1.0, 2.0, 0.25)
as_tensor([1.0, 2.0])
asarray([1, 2])
bartlett_window(5)
blackman_window(5)
empty(2, 3) # random
empty_like(F23) # random
empty_permuted((2, 3), (1, 0)) # random
empty_strided((2, 3), (3, 1)) # random
eye(3); eye(2, 3)
from_dlpack(np.ones(3))
from_numpy(np.arange(3))
frombuffer(bytearray(b"abcd"), dtype=uint8)
full((2, 3), 0.5)
full_like(F23, 2)
hamming_window(5)
hann_window(5, periodic=False)
kaiser_window(5)
linspace(0, 1, 5)
logspace(0, 1, 5)
ones(2, 3)
ones_like(F23)
range(0, 3)
resize_as_(Q23, F22) # dynamic
scalar_tensor(1.5)
tensor([[1.0, 2.0]])
zeros((2, 3))
zeros_like(F23)
"""

RANDOM = """
bernoulli(U23) # random
binomial(P23 * 0 + 4, U23) # random
multinomial(U23, 2) # random
normal(F23, P23) # random
normal(0.0, 1.0, (2, 3)) # random
poisson(P23) # random
rand(2, 3) # random
rand_like(F23) # random
randint(0, 5, (2, 3)) # random
randint_like(F23, 5) # random
randn(2, 3) # random
randn_like(F23) # random
randperm(5) # random
"""

FACTS = """
allclose(F23, F23) # dynamic
broadcast_shapes((2, 1), (3,))
can_cast(float32, int64)
equal(F23, F23) # dynamic
get_device(F23)
is_complex(F23)
is_conj(C23)
is_floating_point(F23)
is_inference(F23)
is_neg(F23)
is_nonzero(F) # dynamic
is_same_size(F23, F32)
is_signed(F23)
is_tensor(F23)
numel(F23)
promote_types(float32, int64); promote_types(type1=float32, type2=int64)
result_type(F23, 2)
to_dlpack(Q23) # dynamic
"""
