"""The bulk ways in: files of articles, listings, stock, outlets, pieces and orders."""
