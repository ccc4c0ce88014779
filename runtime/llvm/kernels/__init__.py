"""Kernels of scalar graphs: elementwise chains and reductions over one iteration space.

``build_kernel`` in ``kernel`` is the entry. ``iteration`` is the space, ``analysis`` what is known
of each value in it. A kernel has one phase after the other, wherever a value waits for a whole
reduction. For each phase ``scheduler`` decides loops, vectors (``vectors``) and tiles by what they
cost (``costs``), and writes that down as a ``schedule``, with ``row_passes`` over what is reduced.
``phase`` turns the schedule into code: ``rounds`` are its loops, ``rows`` what happens innermost,
with ``reductions`` and an ``accumulator`` for what runs over a loop. ``scopes`` knows in each loop
what is computed, ``tiles`` transposes (``transpose``, ``squares``) and ``streaming`` stores past
the caches. ``spans`` says which part of each operand a unit of work touches; ``row_units`` are
units that other kernels of a program have, too.
"""
