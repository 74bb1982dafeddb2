"""The adapter to those who are told: Teams workflows and signed webhooks."""
