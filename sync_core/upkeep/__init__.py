"""The timer's work besides reading feeds: figures for the alerts, and the deletion of old activity."""
