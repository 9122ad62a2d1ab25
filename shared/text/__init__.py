"""Text in: cleaned, bounded, split into sentences without losing anything."""
