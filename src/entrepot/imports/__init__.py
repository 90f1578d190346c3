"""The bulk ways in: files of articles, suites, listings, stock, outlets, pieces and orders."""
