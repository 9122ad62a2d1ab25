"""Personal data in text: found by rules, and put out of sight; pure functions in linear time."""
