"""Images of the deployables, and the tests of the compose file on a real engine."""
