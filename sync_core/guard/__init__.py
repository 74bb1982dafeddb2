"""How much may be taken away within a window, the deletions that wait for a person, and which configuration judges."""
