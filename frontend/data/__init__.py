"""Data sets and the loaders that feed them to a training step."""
