"""The tools of all handlers: a request with its caller and tenant, and collections, pages and JSON made for it."""
