"""Public face: ``graphc.signal.windows``."""

from graphc.frontend.arguments.checks import check_functions as _check_functions
from graphc.frontend.functions.signal_windows import bartlett as bartlett
from graphc.frontend.functions.signal_windows import blackman as blackman
from graphc.frontend.functions.signal_windows import cosine as cosine
from graphc.frontend.functions.signal_windows import exponential as exponential
from graphc.frontend.functions.signal_windows import gaussian as gaussian
from graphc.frontend.functions.signal_windows import general_cosine as general_cosine
from graphc.frontend.functions.signal_windows import general_hamming as general_hamming
from graphc.frontend.functions.signal_windows import hamming as hamming
from graphc.frontend.functions.signal_windows import hann as hann
from graphc.frontend.functions.signal_windows import kaiser as kaiser
from graphc.frontend.functions.signal_windows import nuttall as nuttall

_check_functions(globals())
