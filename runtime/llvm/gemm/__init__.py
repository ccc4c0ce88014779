"""Matrix products: one generator for all shapes, layouts and processors, with work of its results.

``build_gemm`` in ``build`` is the entry. ``problem`` brings the operands into one form, ``plan``
decides tiles and blocks, ``outer``, ``dots`` and ``packing`` write the functions that do the work,
and ``finish`` what happens to a tile before it is stored.
"""
