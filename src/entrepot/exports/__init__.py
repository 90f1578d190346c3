"""Files out: articles, suites, outlets, listings, pieces, stock and orders, as they can come in again."""
