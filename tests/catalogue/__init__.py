"""The catalogue: suites and goods."""
