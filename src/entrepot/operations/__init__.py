"""Keeping a hub well: is everything as it should be (``doctor``), copies of it, and its return from one.

``rules`` judges what was measured, ``doctor`` measures, ``backups`` and ``archive`` write and read the one
file that holds all of a hub.
"""
