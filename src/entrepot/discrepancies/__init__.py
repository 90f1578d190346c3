"""Discrepancies: what does not agree and a person should look at, each standing until it is resolved."""
