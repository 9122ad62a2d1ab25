"""Pipelines: recognition, translation, transliteration and synthesis, one behind the other."""
