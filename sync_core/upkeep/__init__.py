"""What the timer does besides reading feeds: figures for the alerts, and the end of old activity."""
