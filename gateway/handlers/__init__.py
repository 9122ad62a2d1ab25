"""HTTP handlers that FastAPI serves itself: documentation pages."""
