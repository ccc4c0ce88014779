"""Hooks of modules: kept, registered, and called around a module and its gradients."""
