"""What a partner's developer gets."""
