"""Files in: articles, listings, stock, outlets and orders from CSV and XLSX."""
