"""storepos over real HTTP: both ends, every interface of the document."""
