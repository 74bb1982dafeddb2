"""The adapter to Table Storage and Queue Storage, and their twins in memory."""
