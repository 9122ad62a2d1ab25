"""What the gateway does; imports no framework, driver or client library."""
