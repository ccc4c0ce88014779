"""Measures graphc beside numpy and, where installed, PyTorch and JAX: ``python -m benchmarks``."""
