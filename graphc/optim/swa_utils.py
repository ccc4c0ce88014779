"""Averages of weights over training (``torch.optim.swa_utils``)."""

from graphc.frontend.optim.averaging import AveragedModel as AveragedModel
from graphc.frontend.optim.averaging import get_ema_avg_fn as get_ema_avg_fn
from graphc.frontend.optim.averaging import get_ema_multi_avg_fn as get_ema_multi_avg_fn
from graphc.frontend.optim.averaging import get_swa_avg_fn as get_swa_avg_fn
from graphc.frontend.optim.averaging import get_swa_multi_avg_fn as get_swa_multi_avg_fn
from graphc.frontend.optim.averaging import update_bn as update_bn
from graphc.frontend.optim.schedules.averaged import SWALR as SWALR
