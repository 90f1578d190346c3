"""Dispatch: orders that outlets ship, sourced, offered, shipped in parcels, refused, voided, returned."""
