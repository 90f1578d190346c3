"""What a partner's developer gets: the document of their connection, and a twin of it to practise on.

``guide`` writes the document from the dialect's own samples and README, ``page`` makes it HTML to print,
``twin`` copies a connection with what it needs into a tenant of its own.
"""
