"""What people write and see: tensors, functions, modules, optimizers, data, compile."""
