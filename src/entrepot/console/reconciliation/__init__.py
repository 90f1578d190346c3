"""Reconciliation (对账) on the console: a partner's list of a day against ours, and what differs."""
