"""The users who are in: the verdict on one user, by assignment, filters and memberships. Pure."""
