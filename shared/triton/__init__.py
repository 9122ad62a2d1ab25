"""The one way to the Triton Inference Server."""
