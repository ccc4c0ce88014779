"""Public face: ``graphc.fft``."""

from graphc.frontend.functions.spectrum import fftfreq as fftfreq
from graphc.frontend.functions.spectrum import fftshift as fftshift
from graphc.frontend.functions.spectrum import ifftshift as ifftshift
from graphc.frontend.functions.spectrum import rfftfreq as rfftfreq
