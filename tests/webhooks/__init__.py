"""The dialect webhooks."""
