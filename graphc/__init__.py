"""graphc: a static-graph compiler for array programs and neural networks."""
