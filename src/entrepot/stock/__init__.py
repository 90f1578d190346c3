"""Stock: balances, reservations and the ledger that proves them."""
