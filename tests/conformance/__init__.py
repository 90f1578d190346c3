"""One suite for every dialect and role: a new dialect passes it by its folder alone."""
