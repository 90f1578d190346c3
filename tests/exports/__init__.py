"""Files go out, and come in again."""
