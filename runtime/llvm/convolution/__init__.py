"""Convolutions: sums of outer products straight from the input, without a copy of its windows.

``build_convolution`` in ``build`` is the entry. ``problem`` brings the operands into one form,
``blocking`` decides which way vectors run and how large tiles are, ``tile`` writes the function
that does the sums, ``stores`` what happens to a tile at its end, ``weights`` the copy of the
weights where vectors run along channels, and ``places``, ``channels`` and ``chunks`` the loops.
"""
