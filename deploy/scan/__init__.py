"""Scans for what is known to be unsafe: images, manifests, secrets, packages."""
