"""The thread pool: native threads that take pieces of a step's work, with no Python in between.

``pool`` is what Python sees of it, ``library`` its code. ``region`` divides work: what the caller
does, and ``worker`` what the others do. They wait by ``watching`` a word of the pool (``layout``),
later by ``sleeping``; ``rounding`` gives all of them the caller's floating-point controls.
``lifetime`` starts and ends them.
"""
