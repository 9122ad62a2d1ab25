"""Audio in and out of the platform: bounded decoding, encoding, formats."""
