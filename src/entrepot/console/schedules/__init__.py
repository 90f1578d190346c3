"""Schedules: what runs by the clock, when it last did and how that went."""
