"""Training steps of two convolutional networks, in graphc and its peers."""
