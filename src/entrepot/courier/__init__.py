"""The courier: gets every fact to every partner, in order per document, or shows a person."""
