"""Nominations of users to look at: the webhook, its subscriptions, and the rounds of feeds. Decisions are elsewhere."""
