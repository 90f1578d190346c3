"""Sales returns (SR): goods come back, money goes back (document 003, DD-51 … DD-58)."""
