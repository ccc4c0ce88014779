"""Helpers over parameters and gradients."""
