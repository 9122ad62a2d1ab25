"""The only public process: authenticates, limits, routes and streams requests through."""
