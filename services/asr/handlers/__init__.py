"""HTTP: parse, call the service, shape the answer."""
