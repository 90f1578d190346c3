"""minimall: what its partners see, beyond what every dialect is asked."""
