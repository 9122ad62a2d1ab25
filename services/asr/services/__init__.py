"""What the service does, free of HTTP, SQL and Triton."""
