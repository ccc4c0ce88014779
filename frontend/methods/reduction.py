"""Methods that reduce of ``Tensor``."""

from __future__ import annotations

from graphc.frontend.base import TensorBase
from graphc.frontend.functions import (
    distances,
    histograms,
    norms,
    quantiles,
    reduction,
    scan,
    softmaxes,
    sorting,
    statistics,
    uniqueness,
)  # fmt: skip


class ReductionMethods(TensorBase):
    """Methods that reduce, scan or sort; see the functions of the same names."""

    __slots__ = ()

    sum = reduction.sum
    prod = reduction.prod
    mean = reduction.mean
    var = reduction.var
    std = reduction.std
    amax = reduction.amax
    amin = reduction.amin
    max = reduction.max
    min = reduction.min
    argmax = reduction.argmax
    argmin = reduction.argmin
    any = reduction.any
    all = reduction.all
    logsumexp = softmaxes.logsumexp
    softmax = softmaxes.softmax
    log_softmax = softmaxes.log_softmax
    norm = norms.norm
    dist = distances.dist
    aminmax = statistics.aminmax
    count_nonzero = statistics.count_nonzero
    nansum = statistics.nansum
    nanmean = statistics.nanmean
    cov = statistics.cov
    corrcoef = statistics.corrcoef
    median = quantiles.median
    nanmedian = quantiles.nanmedian
    quantile = quantiles.quantile
    nanquantile = quantiles.nanquantile
    cumsum = scan.cumsum
    cumprod = scan.cumprod
    cummax = scan.cummax
    cummin = scan.cummin
    logcumsumexp = scan.logcumsumexp
    sort = sorting.sort
    argsort = sorting.argsort
    msort = sorting.msort
    topk = sorting.topk
    kthvalue = sorting.kthvalue
    mode = sorting.mode
    unique = uniqueness.unique
    unique_consecutive = uniqueness.unique_consecutive
    bincount = histograms.bincount
    histc = histograms.histc
    histogram = histograms.histogram
