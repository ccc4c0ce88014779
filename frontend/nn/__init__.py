"""Neural networks: modules, parameters, layers, losses, initialization."""
