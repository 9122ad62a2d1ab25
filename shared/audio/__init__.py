"""Audio in and out of the platform: formats, and bounded decoding of untrusted files."""
