"""Price adjustments and sales returns: lists, papers with their logs, the steps people may take."""
