"""The tables of the ASR service."""
