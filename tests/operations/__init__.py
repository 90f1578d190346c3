"""Keeping a hub well."""
