"""Fault tests: every one proves that its fault happened."""
