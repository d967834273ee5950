"""Received requests: checks, webhooks, and the runtime expressions of links and callbacks.

``expressions`` evaluates the runtime expressions of links and callbacks. ``requests`` finds the operation of a request
that has arrived, and checks the request against it.
"""
