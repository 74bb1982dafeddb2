"""The state: tenants with their users, groups, apps and policies, the log of changes, and delta over that log."""
