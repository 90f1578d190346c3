"""Exchanges: every HTTP call in and out, found by any number, read as it was."""
