"""Dispatch: notes on a board, why each outlet was chosen, outlets and pieces, what does not agree."""
