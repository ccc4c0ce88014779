"""Where graphc is meant to differ from PyTorch, and why."""

NOT_A_USERS = (
    "_", "alias_copy", "as_strided_copy", "as_strided_scatter", "diagonal_copy", "expand_copy",
    "grid_sampler_", "hash_tensor", "jiterator", "max_pool2d_with_indices_backward", "narrow_copy",
    "native_", "nonzero_static", "permute_copy", "slice", "split_with_sizes_copy", "squeeze_copy",
    "t_copy", "torch.", "transpose_copy", "unbind_copy", "unfold_copy", "unsafe_",
    "unsqueeze_copy", "view_copy",
)  # fmt: skip
"""Beginnings of names that PyTorch has for its own machinery or for GPUs."""

HALF_COMPLEX = "there is no complex number of two half-precision parts"
TRIANGLE = "the gradient goes to the triangle that is read"
TIES = "which of equal elements comes first is not promised without stable=True"
DEGREE = "the degree must be a number"
GAPS = "the strides leave gaps or overlap"
NO_FRACTION = "integers need whole factors"
ROUNDED_TWICE = "PyTorch rounds after each dim, graphc once"
NO_CLASSES = r"expected floating point \(batch, classes\)"
NOT_FLOAT = "must have one floating point dtype"

ABSENT = {
    "masked.*": "gc.where and the reductions do it in two steps",
    "sparse.*": "tensors are dense",
}
"""Operators that graphc has not, with the reason, besides those in docs/absent.md."""

RANDOM = frozenset(
    "bernoulli cauchy empty empty_like empty_permuted empty_strided exponential geometric "
    "log_normal multinomial new_empty new_empty_strided nn.functional.alpha_dropout "
    "nn.functional.dropout nn.functional.dropout2d nn.functional.dropout3d "
    "nn.functional.feature_alpha_dropout nn.functional.fractional_max_pool2d "
    "nn.functional.fractional_max_pool3d nn.functional.multi_head_attention_forward "
    "nn.functional.rrelu normal rand_like randint randint_like randn randn_like uniform".split()
)
"""Operators whose values are random or anything; dtypes and shapes are compared."""

DIFFERENT: dict[str, str] = {
    "cholesky complex128": "of upper=True PyTorch's gradient is not Hermitian",
    "cholesky_inverse": TRIANGLE,
    "cholesky_solve": TRIANGLE,
    "arange uint8": "PyTorch casts the bounds to 8 bits first",
    "argsort": TIES,
    "as_strided_partial_views": "the sample reads memory around its tensor",
    "einsum uint8": "PyTorch widens where it only sums",
    "index_fill float64": "a value that fills one place twice gets that place's gradient once",
    "index_fill complex128": "a value that fills one place twice gets that place's gradient once",
    "istft complex128": "the window has a gradient too",
    "kthvalue int64": TIES,
    "kthvalue uint8": TIES,
    "linalg_cholesky complex128": "of upper=True PyTorch's gradient is not Hermitian",
    "linalg_cholesky_ex complex128": "of upper=True PyTorch's gradient is not Hermitian",
    "linalg_eig": "eigenvectors have any phase",
    "linalg_eigh": "eigenvectors have any sign",
    "linalg_norm_subgradients_at_zero": "second derivatives at 0 are 0, not NaN",
    "linalg_pinv_hermitian": TRIANGLE,
    "matrix_exp float32": "small elements beside large ones: both err by 1e-6 of the norm",
    "mode": TIES,
    "nextafter float64": "piecewise constant steps: no gradient",
    "nn_functional_avg_pool1d int64": "means of integers are floating point numbers",
    "nn_functional_avg_pool2d int64": "means of integers are floating point numbers",
    "nn_functional_avg_pool3d int64": "means of integers are floating point numbers",
    "nn_functional_ctc_loss": "gradients of any input; PyTorch's hold after log_softmax only",
    "nn_functional_interpolate_bicubic uint8": ROUNDED_TWICE,
    "nn_functional_interpolate_bilinear uint8": ROUNDED_TWICE,
    "nn_functional_local_response_norm int64": "of integers it is a floating point number",
    "nn_functional_soft_margin_loss float16": "no overflow: log(1 + exp(x)) is computed stably",
    "nn_functional_upsample_bilinear uint8": ROUNDED_TWICE,
    "sort": TIES,
    "special_bessel_j0": "PyTorch is off by some 1e-6 of the value for large arguments",
    "special_bessel_y1": "PyTorch is off by some 1e-6 of the value for large arguments",
    "sum_to_size bool": "a sum over no dim changes no dtype",
    "sum_to_size uint8": "a sum over no dim changes no dtype",
    "topk": TIES,
}
"""By the name of the samples, or that and a dtype, what differs by intention."""

REFUSED = {
    "as_strided_partial_views": "expected places inside of a contiguous tensor",
    "addbmm": NO_FRACTION,
    "addmv": NO_FRACTION,
    "baddbmm": NO_FRACTION,
    "empty_strided": GAPS,
    "new_empty_strided": GAPS,
    "complex": "parts have an unsupported dtype",
    "linalg_pinv": "tolerances must be numbers",
    "linalg_vander": "expected one dim or more",
    "nn_functional_batch_norm": r"expected \(batch, channels",
    "nn_functional_conv1d": NOT_FLOAT,
    "nn_functional_conv2d": NOT_FLOAT,
    "nn_functional_conv3d": NOT_FLOAT,
    "nn_functional_conv_transpose1d": NOT_FLOAT,
    "nn_functional_conv_transpose2d": NOT_FLOAT,
    "nn_functional_conv_transpose3d": NOT_FLOAT,
    "nn_functional_feature_alpha_dropout_without_train": r"expected \(batch, channels",
    "nn_functional_multi_margin_loss": NO_CLASSES,
    "nn_functional_multilabel_margin_loss": NO_CLASSES,
    "logcumsumexp": "logcumsumexp: operand 0 has an unsupported dtype",
    "lu": "a matrix without factors is an error here",
    "matrix_exp": "matrix_exp: unsupported dtype",
    "special_chebyshev_polynomial_t": DEGREE,
    "special_chebyshev_polynomial_u": DEGREE,
    "special_chebyshev_polynomial_v": DEGREE,
    "special_chebyshev_polynomial_w": DEGREE,
    "special_hermite_polynomial_h": DEGREE,
    "special_hermite_polynomial_he": DEGREE,
    "special_laguerre_polynomial_l": DEGREE,
    "special_legendre_polynomial_p": DEGREE,
    "special_shifted_chebyshev_polynomial_t": DEGREE,
    "special_shifted_chebyshev_polynomial_u": DEGREE,
    "special_shifted_chebyshev_polynomial_v": DEGREE,
    "special_shifted_chebyshev_polynomial_w": DEGREE,
    "trace": "is not a callable object",
    "uniform": "these random numbers do not fit into the tensor",
    "view_as_complex": "parts have an unsupported dtype",
}
"""By the name of the samples, the error for those that graphc does not take."""

VALUES = "a result's shape, or a value for Python, depends on values"
WRITES = "it changes a tensor of the caller"

NOT_RECORDED = {
    "allclose": VALUES,
    "argwhere": VALUES,
    "bincount": VALUES,
    "equal": VALUES,
    "histogram": VALUES,
    "histogramdd": VALUES,
    "index_put": VALUES,
    "item": VALUES,
    "linspace_tensor_overload": VALUES,
    "logspace_tensor_overload": VALUES,
    "masked_select": VALUES,
    "narrow": VALUES,
    "nn_functional_batch_norm": WRITES,
    "nn_functional_instance_norm": WRITES,
    "nn_functional_one_hot": VALUES,
    "nonzero": VALUES,
    "resize_": WRITES,
    "resize_as_": WRITES,
    "tensor_split": VALUES,
    "unique": VALUES,
    "unique_consecutive": VALUES,
}
"""By the name of the samples, why some of them work dynamically only."""
