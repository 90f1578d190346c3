"""Connections: settings, secrets, what processes know of them, exchanges."""
