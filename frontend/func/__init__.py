"""Function transforms: gradients, products with Jacobians, and many examples at once."""
