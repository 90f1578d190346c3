"""People: who they are, what they may do, and the tokens they call with."""
