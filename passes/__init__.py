"""Graph to Graph: autodiff, rewrite rules and fusion, one pass a file, one pipeline."""
