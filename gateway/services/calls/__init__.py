"""Recorded calls: recognized, analyzed, read, replayed and deleted by steps at the services."""
