"""From a step of a plan to native code.

``steps`` finds the generator that takes a step: kernels of scalar graphs, products and
convolutions have folders of their own. Here stand the small ones: ``padding``, ``random_bits``,
``indexing`` with its ``indexed_loops``, and ``products`` that brings products to
``graphc.runtime.llvm.gemm``, or to ``plain_products`` where that has no tiles for their dtype;
``panels`` says which weights a loop's products find copied.
"""
