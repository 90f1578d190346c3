"""The console: the hub's own pages for people, in Chinese and English.

One folder per part of the hub (``pages.py``: what each address answers; ``queries.sql``: what it
reads). Pages read; every act goes through the nouns' own flows.
"""
