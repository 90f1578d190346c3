"""People: users, roles, rights and tokens."""
