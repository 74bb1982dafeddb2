"""What handlers have in common: a request with its caller and tenant, and collections, pages and JSON made for it."""
