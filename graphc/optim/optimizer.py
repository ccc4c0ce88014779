"""The base of all optimizers, and hooks of all of them (``torch.optim.optimizer``)."""

from graphc.frontend.optim.hooks import (
    register_optimizer_step_post_hook as register_optimizer_step_post_hook,
)
from graphc.frontend.optim.hooks import (
    register_optimizer_step_pre_hook as register_optimizer_step_pre_hook,
)
from graphc.frontend.optim.optimizer import Optimizer as Optimizer
