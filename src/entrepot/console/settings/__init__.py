"""Settings of the tenant: the rules of paperwork, and where partners may live."""
