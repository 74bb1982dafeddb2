"""Graph's types and queries: properties with their rules, paths, options, filters, searches."""
