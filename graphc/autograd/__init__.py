"""Public face: ``graphc.autograd``."""

from graphc.autograd import function as function
from graphc.autograd import functional as functional
from graphc.autograd import graph as graph
from graphc.frontend.autograd.anomaly import detect_anomaly as detect_anomaly
from graphc.frontend.autograd.anomaly import set_detect_anomaly as set_detect_anomaly
from graphc.frontend.autograd.api import backward_all as backward  # noqa: F401 - PyTorch's name
from graphc.frontend.autograd.api import grad as grad
from graphc.frontend.autograd.function import Function as Function
from graphc.frontend.autograd.gradcheck import gradcheck as gradcheck
from graphc.frontend.autograd.gradcheck import gradgradcheck as gradgradcheck
from graphc.frontend.modes import enable_grad as enable_grad
from graphc.frontend.modes import inference_mode as inference_mode
from graphc.frontend.modes import no_grad as no_grad
from graphc.frontend.modes import set_grad_enabled as set_grad_enabled
