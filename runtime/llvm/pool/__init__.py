"""The thread pool: native threads that take pieces of a step's work, with no Python in between."""
