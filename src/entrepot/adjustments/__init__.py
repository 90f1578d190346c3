"""Price adjustments (AP): 差价单 before an order ships, 调价单 after (document 003, DD-1 … DD-7)."""
