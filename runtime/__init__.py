"""Graph to running program: plan, session, and the numpy and LLVM backends.

A graph with known sizes becomes a ``plan``: flat steps over strided views (``layout``) of numbered
buffers. ``planning`` makes it, and ``check`` follows it with fresh eyes. A backend executes it:
``numpy_backend`` step by step, ``llvm`` as one native function. ``sessions`` keep plans and their
backends' results for each set of sizes and run them; ``reporting`` tells what became of a program.
"""
