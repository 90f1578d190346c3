"""Connections: how each partner fares, their settings and keys, the page for a partner's developer."""
