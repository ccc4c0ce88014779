"""Matrix products: one generator for all shapes, layouts and processors, with work on both sides.

``build_gemm`` in ``build`` is the entry. ``problem`` brings the operands into one form; ``factors``
may be computed while they are read. ``blocking`` and ``strips`` decide tiles and blocks; ``outer``,
``dots`` and ``packing`` write the functions that do the work, ``finish`` what happens to a tile
before it is stored, and ``sums`` what follows when all tiles are done. ``describe`` tells people.
"""
