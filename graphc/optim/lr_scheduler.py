"""Learning rates that change between steps (``torch.optim.lr_scheduler``)."""

from graphc.frontend.optim.lr_scheduler import CosineAnnealingLR as CosineAnnealingLR
from graphc.frontend.optim.lr_scheduler import ExponentialLR as ExponentialLR
from graphc.frontend.optim.lr_scheduler import LambdaLR as LambdaLR
from graphc.frontend.optim.lr_scheduler import LRScheduler as LRScheduler
from graphc.frontend.optim.lr_scheduler import StepLR as StepLR
