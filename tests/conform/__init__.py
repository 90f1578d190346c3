"""The conformance suite itself: what it lets pass, and what it catches."""
