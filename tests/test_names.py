"""PyTorch's public names: each is there, or stands in docs/absent.md with the reason."""

import fnmatch
import importlib
import re
from collections.abc import Iterator
from typing import Any

import pytest

import graphc as gc
from tests.sources import ROOT
from tests.torch_oracle import torch

SECTIONS = (
    "torch", "torch.Tensor", "torch.nn.functional", "torch.linalg", "torch.fft", "torch.special",
    "torch.random", "torch.nn", "torch.nn.utils.rnn", "torch.optim", "torch.utils.data",
)  # fmt: skip
CLASSES = {"torch.Tensor": gc.Tensor, "torch.nn.Module": gc.nn.Module}
OTHER_MEANING = {"torch": {"trace"}, "torch.Tensor": {"type"}}
"""Names that are there and mean something else, which the page says."""


def ours(section: str) -> Any:
    if section in CLASSES:
        return CLASSES[section]
    return importlib.import_module(section.replace("torch", "graphc", 1))


def theirs(section: str) -> set[str]:
    if section in CLASSES:
        place, _, kind = section.rpartition(".")
        names = dir(getattr(importlib.import_module(place), kind))
        return {name for name in names if not name.startswith("_")}
    module = importlib.import_module(section)
    if section == "torch.utils.data":
        return set(module.__all__)
    if section == "torch.nn":
        return {name for name, value in vars(module).items() if isinstance(value, type)}
    return {
        name
        for name, value in vars(module).items()
        if callable(value) and not isinstance(value, type) and not name.startswith("_")
        and "typing" not in str(getattr(value, "__module__", ""))
    }  # fmt: skip


def absent(section: str) -> list[str]:
    """The names and patterns of names in one section of the page."""
    text = (ROOT / "docs" / "absent.md").read_text()
    found = re.search(rf"^## {re.escape(section)}\n(.*?)(?=^## |\Z)", text, re.M | re.S)
    rows = re.findall(r"^\| (`.*?) \| ", found.group(1), re.M) if found else []
    return [name for row in rows for name in re.findall(r"`([^`]+)`", row)]


def covered(names: set[str], patterns: list[str]) -> Iterator[tuple[str, list[str]]]:
    for pattern in patterns:
        yield pattern, fnmatch.filter(sorted(names), pattern)


@pytest.mark.parity
@pytest.mark.parametrize("section", SECTIONS)
def test_every_name_is_there_or_explained(section: str) -> None:
    torch()
    here = ours(section)
    missing = {name for name in theirs(section) if not hasattr(here, name)}
    explained = {name for _, names in covered(missing, absent(section)) for name in names}
    assert sorted(missing - explained) == []


@pytest.mark.parity
@pytest.mark.parametrize("section", SECTIONS)
def test_the_page_names_only_what_is_absent(section: str) -> None:
    torch()
    here, known = ours(section), theirs(section)
    for pattern, names in covered(known, absent(section)):
        assert names, f"PyTorch has no {pattern}"
        if pattern in OTHER_MEANING.get(section, ()):
            continue
        if "*" in pattern:
            assert any(not hasattr(here, name) for name in names), pattern
        else:
            assert not hasattr(here, pattern), f"{pattern} is there"


PROMISED = {
    "graphc": """
        tensor as_tensor from_numpy zeros ones full empty zeros_like ones_like full_like empty_like
        arange linspace logspace eye tril_indices triu_indices complex from_dlpack rand randn
        randint normal bernoulli randperm multinomial poisson binomial rand_like randn_like
        randint_like Generator manual_seed seed initial_seed get_rng_state set_rng_state cat concat
        stack hstack vstack dstack column_stack row_stack chunk split tensor_split hsplit vsplit
        dsplit unbind reshape flatten unflatten ravel permute transpose t movedim moveaxis swapaxes
        swapdims squeeze unsqueeze broadcast_to tile repeat_interleave flip fliplr flipud roll
        rot90 narrow select diagonal diag diag_embed diagflat tril triu meshgrid cartesian_prod
        combinations block_diag atleast_1d atleast_2d atleast_3d pixel_shuffle pixel_unshuffle
        gather scatter scatter_add scatter_reduce index_select index_add index_copy index_fill
        index_put index_reduce take take_along_dim masked_fill masked_select masked_scatter where
        nonzero argwhere select_scatter slice_scatter diagonal_scatter searchsorted bucketize
        isclose isnan isfinite lerp addcmul addcdiv atan2 hypot copysign nextafter ldexp frexp gcd
        lcm fmod remainder logaddexp xlogy sinc logit nan_to_num float_power clamp angle real imag
        conj polar erf erfc erfinv lgamma digamma polygamma mvlgamma i0 sum prod mean var std
        var_mean std_mean norm amax amin aminmax max min argmax argmin all any count_nonzero
        logsumexp cumsum cumprod cummax cummin logcumsumexp median nanmedian mode quantile
        nanquantile nansum nanmean kthvalue topk sort argsort msort unique unique_consecutive
        bincount histc histogram cov corrcoef dist cdist trapezoid diff gradient matmul mm bmm mv
        dot inner outer vdot addmm addmv addr addbmm baddbmm einsum tensordot kron chain_matmul
        matrix_power stft istft promote_types result_type can_cast allclose equal isin is_tensor
        is_floating_point is_complex numel broadcast_tensors broadcast_shapes asarray frombuffer
        get_default_dtype set_default_dtype finfo iinfo set_printoptions conv2d relu max_pool2d
        dropout layer_norm embedding renorm as_strided""",
    "graphc.Tensor": """
        view expand repeat contiguous is_contiguous stride to put unfold item tolist numpy numel
        nelement element_size itemsize nbytes dim ndim data_ptr storage_offset new_tensor new_full
        new_zeros new_ones new_empty uniform_ normal_ exponential_ bernoulli_ random_ geometric_
        log_normal_ cauchy_ add_ mul_ copy_ zero_ clamp_ t_ squeeze_ unsqueeze_ transpose_
        swapaxes_ resize_ apply_ map_ float double half bfloat16 int long short byte char bool
        cfloat cdouble index_add_ index_copy_ index_fill_ index_put_ index_reduce_ scatter_
        logical_and_ bitwise_or_ __array__ __dlpack__ __complex__ __index__ register_hook
        retain_grad""",
    "graphc.random": "fork_rng manual_seed seed initial_seed get_rng_state set_rng_state",
    "graphc.linalg": """
        cholesky qr svd svdvals eigh eigvalsh eig eigvals inv pinv solve solve_triangular lstsq lu
        lu_factor lu_solve det slogdet cond matrix_rank matrix_exp vander cross vecdot tensorinv
        tensorsolve householder_product multi_dot norm vector_norm matrix_norm""",
    "graphc.special": """
        entr ndtr ndtri log_ndtr i0e i1 i1e zeta bessel_j0 expit xlog1py gammainc gammaincc""",
    "graphc.nn.functional": """
        relu6 leaky_relu prelu rrelu elu selu celu gelu silu mish softplus softsign softshrink
        hardshrink tanhshrink hardtanh hardswish hardsigmoid threshold glu logsigmoid softmin
        gumbel_softmax conv1d conv2d conv3d conv_transpose1d conv_transpose2d conv_transpose3d
        max_pool1d max_pool2d max_pool3d avg_pool1d avg_pool2d avg_pool3d lp_pool1d lp_pool2d
        lp_pool3d adaptive_max_pool2d adaptive_avg_pool2d fractional_max_pool2d max_unpool2d pad
        interpolate upsample grid_sample affine_grid batch_norm layer_norm group_norm
        instance_norm local_response_norm rms_norm normalize dropout embedding embedding_bag
        one_hot linear bilinear cosine_similarity pairwise_distance pdist
        scaled_dot_product_attention multi_head_attention_forward channel_shuffle l1_loss mse_loss
        smooth_l1_loss huber_loss cross_entropy nll_loss binary_cross_entropy
        binary_cross_entropy_with_logits kl_div poisson_nll_loss gaussian_nll_loss
        hinge_embedding_loss margin_ranking_loss multi_margin_loss multilabel_margin_loss
        multilabel_soft_margin_loss soft_margin_loss cosine_embedding_loss triplet_margin_loss
        triplet_margin_with_distance_loss ctc_loss fold unfold""",
}
"""The operators that the project promises, whatever PyTorch has."""


@pytest.mark.parametrize("place", PROMISED)
def test_what_is_promised_is_there(place: str) -> None:
    here = gc.Tensor if place == "graphc.Tensor" else importlib.import_module(place)
    assert [name for name in PROMISED[place].split() if not hasattr(here, name)] == []
