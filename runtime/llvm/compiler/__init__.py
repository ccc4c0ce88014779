"""LLVM as a compiler: text IR to object code, and object code to callable addresses.

``native`` imports llvmlite, ``target`` says what the machine can do, ``engine`` compiles and
loads. ``build`` compiles what ``cache`` does not have. ``units`` cuts a module into parts that
``side_by_side`` compiles at once; ``forks`` keeps children of a fork from LLVM's locks, ``libm``
is the C library of slow paths.
"""
