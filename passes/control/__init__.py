"""Loops and branches: their gradients, and passes over them and their bodies."""
