"""Three exact sliding windows per key, in Redis and in process."""
