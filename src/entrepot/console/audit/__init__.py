"""The audit log: who changed which setting, right or credential, who looked at what, and why."""
