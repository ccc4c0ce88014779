"""What a traced program depends on besides its arguments, and how later calls notice a change."""
