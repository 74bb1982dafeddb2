"""Who is in: the verdict on one user, by assignment, filters and memberships. Pure."""
