"""Live synthesis: text in pieces, audio out while it is made."""
