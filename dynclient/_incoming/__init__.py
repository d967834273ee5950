"""What the client and the mock need of requests that are not the client's own: runtime expressions and checks.

``expressions`` evaluates the runtime expressions of links and callbacks. ``requests`` checks a request that has arrived
against the operation that it is for.
"""
