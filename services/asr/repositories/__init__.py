"""All of the service's SQL."""
