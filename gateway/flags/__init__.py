"""Feature flags: where they come from, how they are evaluated, and what they route."""
