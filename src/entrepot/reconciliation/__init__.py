"""Reconciliation (对账): a partner's list of a day against ours; what differs stands until it is resolved.

``kinds`` says what a list holds and which query compares it, ``flows`` runs one, ``asking``
gets a list of stock from the partner itself.
"""
