"""The learner's own pages: how far they are on the way to credit, whom they can ask, what became of it.

Server-rendered, without JavaScript. A host includes `credit.learner_pages.urls`, or leaves the pages out: nothing else
needs them. Templates are in `credit/learner/`, for a host to replace.
"""
