"""Signing in: passwords, second factor, sessions, throttling."""
