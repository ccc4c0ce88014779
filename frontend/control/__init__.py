"""Loops and branches: their bodies recorded, applied, and stepped through dynamically."""
