"""What all rooms share: requests and answers as values, Graph's errors, tokens, quotas, the clock, ids."""
