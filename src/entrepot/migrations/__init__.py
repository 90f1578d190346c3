"""Plain SQL, forward only, in the order of the file names."""
