"""All SQL, and what Redis keeps about keys."""
