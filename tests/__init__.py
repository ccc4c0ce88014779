"""The tests of graphc; CONTRIBUTING.md describes their kinds."""
