"""The answers of the endpoints: the table of routes, and one module of handlers for each part of `/v1.0`."""
