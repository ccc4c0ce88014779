"""Public face: ``graphc.backends``, where scripts ask for other devices and find none."""

from graphc.backends import cudnn as cudnn
from graphc.backends import mps as mps
