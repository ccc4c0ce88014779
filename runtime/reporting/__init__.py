"""What a session tells people about itself: reports, kernels, profiles, and their tables."""
