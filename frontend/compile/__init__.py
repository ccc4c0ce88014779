"""From a dynamic function to compiled code: traces, their cache, and the fast way to call."""
