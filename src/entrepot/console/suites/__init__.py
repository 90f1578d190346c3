"""Suites: what they are made of, what they sell, how their price falls on their parts."""
