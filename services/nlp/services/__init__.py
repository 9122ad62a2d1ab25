"""What the task is made of; no framework, no SQL, no Triton types."""
