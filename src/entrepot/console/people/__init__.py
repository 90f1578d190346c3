"""People: who may come in, their role in paperwork and their duties here, and tokens."""
