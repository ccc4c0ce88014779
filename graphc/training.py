"""Around the training step: whole runs that go on after a stop, metrics, progress.

All of it is optional: a loop over batches that calls a step is enough.
"""

from graphc.frontend.training.accuracy import Accuracy as Accuracy
from graphc.frontend.training.checkpoints import Checkpoints as Checkpoints
from graphc.frontend.training.checkpoints import CheckpointWarning as CheckpointWarning
from graphc.frontend.training.confusion import ConfusionMatrix as ConfusionMatrix
from graphc.frontend.training.early_stopping import EarlyStopping as EarlyStopping
from graphc.frontend.training.mean import Mean as Mean
from graphc.frontend.training.metric import Metric as Metric
from graphc.frontend.training.progress import progress as progress
from graphc.frontend.training.r2 import R2Score as R2Score
from graphc.frontend.training.train_state import TrainState as TrainState
