"""Functions of tensors with PyTorch's names, one family a file; each works in both executions."""
