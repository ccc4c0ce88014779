"""Training programs as people write them for PyTorch; ``tests/test_ports.py`` changes the imports.

Each has a function ``losses`` that trains for some steps. Names and idioms are those of ordinary
scripts, on purpose.
"""
