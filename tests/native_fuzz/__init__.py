"""Random programs for native code: sizes that matter to it, in every way that it can be made.

``python -m tests.native_fuzz --seeds 0:5000`` runs many; ``tests/test_native_fuzz.py`` runs some.
A seed is one program. It runs on the numpy backend without passes, and as native code with one,
two and three threads, and as LLVM makes it with and without optimization, all memory between pages
that must not be touched.
"""
