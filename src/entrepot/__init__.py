"""Entrepot: an omnichannel order and stock hub."""

__version__ = "0.1.0"
