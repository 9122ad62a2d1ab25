"""Raw ASGI middleware; other scopes than HTTP pass through."""
