"""Batching: a program of one example as a program of many, one rule per operation."""
