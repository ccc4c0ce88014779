"""Where graphc is meant to differ from PyTorch, and why."""

NOT_A_USERS = (
    "_", "alias_copy", "as_strided_copy", "as_strided_scatter", "diagonal_copy", "expand_copy",
    "grid_sampler_", "hash_tensor", "jiterator", "max_pool2d_with_indices_backward", "narrow_copy",
    "native_", "nonzero_static", "permute_copy", "slice", "split_with_sizes_copy", "squeeze_copy",
    "t_copy", "torch.", "transpose_copy", "unbind_copy", "unfold_copy", "unsafe_",
    "unsqueeze_copy", "view_copy",
)  # fmt: skip
"""Beginnings of names that PyTorch has for its own machinery or for GPUs."""

SPARSE = "graphc's tensors are dense"
STRIDES = "strides are not the user's business: any layout may come out"
HALF_COMPLEX = "there is no complex number of two half-precision parts"
TIES = "which of equal elements comes first is not promised without stable=True"
NO_FRACTION = "integers need whole factors"
ROUNDED_TWICE = "PyTorch rounds after each dim, graphc once"
NO_CLASSES = r"expected floating point \(batch, classes\)"
NOT_FLOAT = "must have one floating point dtype"

ABSENT: dict[str, str] = {
    "chalf": HALF_COMPLEX,
    "sparse.mm": SPARSE,
    "sparse.sampled_addmm": SPARSE,
    "to_sparse": SPARSE,
    "empty_permuted": STRIDES,
    "empty_strided": STRIDES,
    "new_empty_strided": STRIDES,
}
"""Operators that graphc has not, with the reason."""

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
    "arange uint8": "PyTorch casts the bounds to 8 bits first",
    "argsort": TIES,
    "as_strided_partial_views": "the sample reads memory around its tensor",
    "einsum uint8": "PyTorch widens where it only sums",
    "index_fill float64": "a value that fills one place twice gets that place's gradient once",
    "index_fill complex128": "a value that fills one place twice gets that place's gradient once",
    "kthvalue int64": TIES,
    "kthvalue uint8": TIES,
    "linalg_cholesky complex128": "of upper=True PyTorch's gradient is not Hermitian",
    "linalg_eig": "eigenvectors have any phase",
    "linalg_eigh": "eigenvectors have any sign",
    "linalg_norm_subgradients_at_zero": "second derivatives at 0 are 0, not NaN",
    "linalg_pinv_hermitian": "the gradient goes to the triangle that is read",
    "linspace uint8": "values are computed in float64 and then cut, not in 8 bits",
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
    "addbmm": NO_FRACTION,
    "addmv": NO_FRACTION,
    "baddbmm": NO_FRACTION,
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
    "logaddexp": "logaddexp: operand 0 has an unsupported dtype",
    "logcumsumexp": "logcumsumexp: operand 0 has an unsupported dtype",
    "matrix_exp": "matrix_exp: unsupported dtype",
    "trace": "is not a callable object",
    "uniform": "these random numbers do not fit into the tensor",
    "view_as_complex": "parts have an unsupported dtype",
}
"""By the name of the samples, the error for those that graphc does not take."""
