"""Public face: ``graphc.fft``."""

from graphc.frontend.arguments.checks import check_functions as _check_functions
from graphc.frontend.functions.fourier import fft as fft
from graphc.frontend.functions.fourier import fft2 as fft2
from graphc.frontend.functions.fourier import fftn as fftn
from graphc.frontend.functions.fourier import hfft as hfft
from graphc.frontend.functions.fourier import hfft2 as hfft2
from graphc.frontend.functions.fourier import hfftn as hfftn
from graphc.frontend.functions.fourier import ifft as ifft
from graphc.frontend.functions.fourier import ifft2 as ifft2
from graphc.frontend.functions.fourier import ifftn as ifftn
from graphc.frontend.functions.fourier import ihfft as ihfft
from graphc.frontend.functions.fourier import ihfft2 as ihfft2
from graphc.frontend.functions.fourier import ihfftn as ihfftn
from graphc.frontend.functions.fourier import irfft as irfft
from graphc.frontend.functions.fourier import irfft2 as irfft2
from graphc.frontend.functions.fourier import irfftn as irfftn
from graphc.frontend.functions.fourier import rfft as rfft
from graphc.frontend.functions.fourier import rfft2 as rfft2
from graphc.frontend.functions.fourier import rfftn as rfftn
from graphc.frontend.functions.spectrum import fftfreq as fftfreq
from graphc.frontend.functions.spectrum import fftshift as fftshift
from graphc.frontend.functions.spectrum import ifftshift as ifftshift
from graphc.frontend.functions.spectrum import rfftfreq as rfftfreq

_check_functions(globals())
