"""Publishing rules: what channels see of what is available, tried out before it holds."""
