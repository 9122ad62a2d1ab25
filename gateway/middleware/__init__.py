"""The proxied path, as raw ASGI in front of FastAPI."""
