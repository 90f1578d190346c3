"""Connections: the partner systems of a tenant, their keys, settings and exchanges."""
