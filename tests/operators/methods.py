"""Calls of methods that are no function besides."""

METHODS = """
F23.new_empty((2,)) # random
F23.new_empty_strided((2, 3), (3, 1)) # random
F23.new_full((2,), 1.5)
F23.new_ones(2)
F23.new_tensor([1, 2])
F23.new_zeros((2, 3))
F23.bernoulli_(0.5) # random
F23.cauchy_() # random
F23.exponential_() # random
F23.geometric_(0.5) # random
F23.log_normal_() # random
F23.normal_() # random
F23.random_(0, 5) # random
F23.uniform_(-1, 1) # random
F23.byte()
F23.char()
F23.bool()
F23.double()
F23.float() # kink
F23.half() # kink
F23.bfloat16() # kink
F23.int()
F23.long()
F23.short()
F23.cfloat() # kink
F23.cdouble()
F23.type_as(N23)
F23.to(complex128); F23.to(dtype=int64); F23.to(N23)
F23.cpu()
F23.contiguous()
F23.expand(2, 2, 3); F23.expand(-1, 3)
F3.expand_as(F23)
F23.view(6); F23.view(3, -1)
F23.view_as(F6)
F23.reshape_as(F6)
F3.repeat(2, 2)
F23.sum_to_size(1, 3)
F6.unfold(0, 3, 2)
F23.fill_diagonal_(0.5)
F23.copy_(F3)
F23.put_(K2, F2, accumulate=True)
Q23.map_(Q23, lambda a, b: a + b) # dynamic
Q23.map2_(Q23, Q23, lambda a, b, c: a + b * c) # dynamic
Q23.apply_(lambda a: a + 1) # dynamic
Q23.resize_(6) # dynamic
P23.polygamma(1)
F33.trace()
F23.where(B23, F3)
F23.detach()
F23.is_floating_point()
F23.is_inference()
F213.squeeze_() # dynamic
F23.unsqueeze_(0) # dynamic
F23.t_() # dynamic
F23.transpose_(0, 1) # dynamic
F23.swapaxes_(0, 1) # dynamic
F23.swapdims_(0, 1) # dynamic
F23.requires_grad_()
F23.dim()
F23.dim_order() # dynamic
F23.ndimension()
F23.nelement()
F23.element_size()
F23.stride() # dynamic
F23.storage_offset() # dynamic
F23.size(); F23.size(1)
F23.is_contiguous()
F23.is_coalesced()
F23.is_pinned()
F23.is_shared()
F23.is_set_to(F23) # dynamic
F23.data_ptr() # dynamic random
F.item() # dynamic
N23.numpy() # dynamic
F23.tolist() # dynamic
"""
