"""Pagination: how an operation's list is paginated, and the steps from one page to the next.

``detection`` derives the rule from an operation, with evidence; ``rules`` has the rule as a value, and reads those that
a caller or a document declares; ``stepping`` makes the requests of the pages one after another, without I/O. Its two
drivers are in ``_client/paging.py``.
"""
