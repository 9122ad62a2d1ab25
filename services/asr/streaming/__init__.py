"""Recognition while people speak: sessions that are fed bytes and yield events."""
