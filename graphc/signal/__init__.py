"""Public face: ``graphc.signal``."""

from graphc.signal import windows as windows
