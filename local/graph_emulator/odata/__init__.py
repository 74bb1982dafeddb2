"""What Graph knows of its types and of queries: properties with their rules, paths, options, filters, searches."""
