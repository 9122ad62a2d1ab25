"""Named entities of English by rules and small lists; pure functions in linear time."""
