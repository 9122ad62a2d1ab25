"""Domain models: frozen, and free of any framework."""
