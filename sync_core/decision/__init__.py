"""The decision about one user: the decision table, and the look that brings its inputs together. Pure."""
