"""Orders: what a partner's customer wants, from intake to shipment."""
