"""Which nodes share a kernel, and what the kernel's body looks like."""
