"""Elementwise operations as instructions.

``scalar_ops`` is the table, one line for an operation. Beside it stand those that take more than a
line: ``casts``, ``integer_ops``, ``normal`` and ``uniform_division``; elementary functions are in
``graphc.runtime.llvm.math``.
"""
