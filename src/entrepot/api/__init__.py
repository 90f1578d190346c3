"""The native REST API: everything the hub does, for programs, described by OpenAPI.

Operations are async functions with typed parameters, one module per noun in ``nouns``; the door in front
of them decides who may come in, how often, and what is answered to whom.
"""

from __future__ import annotations
