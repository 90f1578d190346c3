"""Orders: the list, one order with all that happened to it, its steps."""
