"""A multilayer perceptron, its training step and its forward run, as every peer writes them."""
