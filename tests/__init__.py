"""Facts about the product: each test states one."""
