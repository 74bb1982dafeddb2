"""The basis of all rooms: requests and answers as values, Graph's errors, tokens, quotas, the clock, ids."""
