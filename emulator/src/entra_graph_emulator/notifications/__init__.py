"""Change notifications: subscriptions to them, and their delivery with its retries."""
