"""Data sets and loaders (``torch.utils.data``)."""

from graphc.frontend.data.collate import default_collate as default_collate
from graphc.frontend.data.dataset import Dataset as Dataset
from graphc.frontend.data.dataset import Subset as Subset
from graphc.frontend.data.dataset import TensorDataset as TensorDataset
from graphc.frontend.data.dataset import random_split as random_split
from graphc.frontend.data.loader import DataLoader as DataLoader
from graphc.frontend.data.sampler import BatchSampler as BatchSampler
from graphc.frontend.data.sampler import RandomSampler as RandomSampler
from graphc.frontend.data.sampler import Sampler as Sampler
from graphc.frontend.data.sampler import SequentialSampler as SequentialSampler
