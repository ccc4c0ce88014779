"""Rewrite rules: each a pattern, its replacement and its equation.

``canonicalize``, ``stabilize``, ``simplify``, ``choose`` and ``align`` are passes of the pipeline,
in this order; ``tiles``, ``windows`` and ``merge_dims`` hold rules of theirs.
"""
