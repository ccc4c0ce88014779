"""Schedules: options of optimizers that change between steps."""
