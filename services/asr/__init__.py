"""Automatic speech recognition: audio in, transcripts with word times out."""
