"""Requests that arrive: checks, webhooks, and the runtime expressions of links and callbacks.

``expressions`` evaluates the runtime expressions of links and callbacks. ``requests`` checks a request that has arrived
against the operation that it is for.
"""
