"""From operations to a graph: nodes, variables, gradients, and what must be taken back."""
