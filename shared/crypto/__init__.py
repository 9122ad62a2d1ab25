"""Encryption of what lies in databases and files."""
