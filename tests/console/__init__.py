"""The console: pages, acts, sign-in, and all of it in a real browser."""
