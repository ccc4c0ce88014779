"""Gradients: the tape of dynamic mode, ``backward`` and ``grad`` in both modes."""
