"""What layers compute, as functions, one family a file."""
