"""Stock: levels by article, one article everywhere, movements, what channels see and why."""
