"""The newcomer's demo: one credit journey with real parts, narrated, or the same site to play with.

`python -m demo` plays it, `python -m demo --serve` serves it. Nothing here is part of the apps or of the service.
"""
