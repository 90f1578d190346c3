"""A scripted partner: plays one end of a dialect without a database, to be called, broken and repaired.

``rules`` is what a script may say and what is answered, ``partner`` judges a call by the dialect's own wire,
``server`` is its HTTP.
"""
