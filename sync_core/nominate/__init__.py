"""Who is to be looked at: the webhook, the subscriptions behind it, and the rounds of feeds. Nothing here decides."""
