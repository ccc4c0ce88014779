"""A sample call of every public operator; see tests/operators/notation.py."""
