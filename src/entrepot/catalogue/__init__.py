"""The catalogue: articles, and the names the partners use for them."""
