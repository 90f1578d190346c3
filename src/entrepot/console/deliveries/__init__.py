"""Deliveries: what partners are to be told, what became of it, and what a person does about it."""
