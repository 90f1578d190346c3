"""Dialects that live outside the package."""
