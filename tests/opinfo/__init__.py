"""PyTorch's own samples of its operators, given to PyTorch and to graphc."""
