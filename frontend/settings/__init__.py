"""What holds for a whole process: the default dtype, devices, threads, how tensors print."""
