"""Training on a CPU: fused kernels, one chunk of the batch per thread."""
