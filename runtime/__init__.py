"""Graph to running program: plan, session, and the numpy and LLVM backends."""
