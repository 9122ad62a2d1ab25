"""Bodies of what the gateway itself answers."""
