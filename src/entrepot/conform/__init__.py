"""Does a server speak a dialect? Checks of any base URL over HTTP, driven by the dialect's own samples.

``samples`` documents what a dialect's folder holds, ``checks`` what is asked of a server for it.
"""
