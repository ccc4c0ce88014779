"""Which nodes share a kernel, and what the kernel's body looks like.

``parts`` says what work of kernels is and what glue between it, ``space`` what a node loops over.
``groups`` grow as long as no cycle comes up; a ``partition`` then lets ``products`` and
``prologues`` move work into matrix products, and ``recompute`` repeat what is light. ``kernel``
builds the fused nodes.
"""
