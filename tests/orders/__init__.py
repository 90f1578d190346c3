"""Orders: taken in once, moved on by the table, and what they do to stock."""
