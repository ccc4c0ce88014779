"""Learning rates that change between steps (``torch.optim.lr_scheduler``)."""

from graphc.frontend.optim.schedules.base import LRScheduler as LRScheduler
from graphc.frontend.optim.schedules.combined import ChainedScheduler as ChainedScheduler
from graphc.frontend.optim.schedules.combined import SequentialLR as SequentialLR
from graphc.frontend.optim.schedules.cosine import CosineAnnealingLR as CosineAnnealingLR
from graphc.frontend.optim.schedules.cosine import (
    CosineAnnealingWarmRestarts as CosineAnnealingWarmRestarts,
)
from graphc.frontend.optim.schedules.cycles import CyclicLR as CyclicLR
from graphc.frontend.optim.schedules.cycles import OneCycleLR as OneCycleLR
from graphc.frontend.optim.schedules.factors import ConstantLR as ConstantLR
from graphc.frontend.optim.schedules.factors import ExponentialLR as ExponentialLR
from graphc.frontend.optim.schedules.factors import LambdaLR as LambdaLR
from graphc.frontend.optim.schedules.factors import LinearLR as LinearLR
from graphc.frontend.optim.schedules.factors import MultiplicativeLR as MultiplicativeLR
from graphc.frontend.optim.schedules.factors import MultiStepLR as MultiStepLR
from graphc.frontend.optim.schedules.factors import PolynomialLR as PolynomialLR
from graphc.frontend.optim.schedules.factors import StepLR as StepLR
from graphc.frontend.optim.schedules.plateau import ReduceLROnPlateau as ReduceLROnPlateau
