"""All the SQL of this service."""
