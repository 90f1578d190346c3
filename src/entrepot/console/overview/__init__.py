"""The overview: whether the business flows, at a glance; and finding anything by its number."""
