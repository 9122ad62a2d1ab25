"""The domain: frozen, and free of frameworks."""
