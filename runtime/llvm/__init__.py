"""The LLVM backend: a plan as one native function.

``backend`` is the entry. ``lowering`` finds the generator of each step: ``kernels`` for what is
computed element by element and reduced, ``gemm`` for products, ``convolution`` for convolutions.
All of them write text with ``ir``, ``scalar`` and ``math`` into a module, and give a
``native_step``. ``driver`` joins and repeats the steps, ``pool`` divides them among threads.
``compiler`` compiles the text, or takes the code from a cache. ``entry`` is for callers who come
from Python without Python code in between.
"""
