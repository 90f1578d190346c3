"""Discrepancies."""
