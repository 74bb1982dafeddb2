"""How much may be taken away within a window, and the deletions that wait for a person."""
