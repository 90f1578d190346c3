"""What all commands share: the desk they work at, their options, and how they show things."""
