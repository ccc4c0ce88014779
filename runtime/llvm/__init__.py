"""The LLVM backend: text IR, vector math, kernels, and the engine that compiles and loads them."""
