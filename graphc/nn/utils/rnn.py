"""Sequences of several lengths (``torch.nn.utils.rnn``)."""

from graphc.frontend.nn.utils.masked import MaskedSequence as MaskedSequence
from graphc.frontend.nn.utils.packed import PackedSequence as PackedSequence
from graphc.frontend.nn.utils.packed import invert_permutation as invert_permutation
from graphc.frontend.nn.utils.sequences import pack_padded_sequence as pack_padded_sequence
from graphc.frontend.nn.utils.sequences import pack_sequence as pack_sequence
from graphc.frontend.nn.utils.sequences import pad_packed_sequence as pad_packed_sequence
from graphc.frontend.nn.utils.sequences import pad_sequence as pad_sequence
from graphc.frontend.nn.utils.sequences import unpack_sequence as unpack_sequence
from graphc.frontend.nn.utils.sequences import unpad_sequence as unpad_sequence
