"""Dispatch: rules on examples and at random, flows on PostgreSQL, faults and races."""
