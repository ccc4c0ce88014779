"""Data sets and loaders (``torch.utils.data``)."""

from graphc.frontend.data.collate import collate as collate
from graphc.frontend.data.collate import default_collate as default_collate
from graphc.frontend.data.collate import default_collate_fn_map as default_collate_fn_map
from graphc.frontend.data.collate import default_convert as default_convert
from graphc.frontend.data.dataset import ChainDataset as ChainDataset
from graphc.frontend.data.dataset import ConcatDataset as ConcatDataset
from graphc.frontend.data.dataset import Dataset as Dataset
from graphc.frontend.data.dataset import IterableDataset as IterableDataset
from graphc.frontend.data.loader import DataLoader as DataLoader
from graphc.frontend.data.random_samplers import DistributedSampler as DistributedSampler
from graphc.frontend.data.random_samplers import SubsetRandomSampler as SubsetRandomSampler
from graphc.frontend.data.random_samplers import WeightedRandomSampler as WeightedRandomSampler
from graphc.frontend.data.sampler import BatchSampler as BatchSampler
from graphc.frontend.data.sampler import RandomSampler as RandomSampler
from graphc.frontend.data.sampler import Sampler as Sampler
from graphc.frontend.data.sampler import SequentialSampler as SequentialSampler
from graphc.frontend.data.stack import StackDataset as StackDataset
from graphc.frontend.data.subset import Subset as Subset
from graphc.frontend.data.subset import random_split as random_split
from graphc.frontend.data.tensors import TensorDataset as TensorDataset
from graphc.frontend.data.worker_info import WorkerInfo as WorkerInfo
from graphc.frontend.data.worker_info import get_worker_info as get_worker_info
