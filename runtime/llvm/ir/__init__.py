"""Writing text IR: what every generator of native code uses.

``values`` are what instructions make and take, ``emitter`` writes the instructions of a function,
``loops`` the loops around them, and ``memory`` reads and writes vectors of elements with any
stride, those of ``halves`` in 16 bits. ``module`` and ``function`` hold what is written.
"""
