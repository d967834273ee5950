"""Readers convert a document to the model, so that no other package depends on the version of OpenAPI.

``api.read`` finds the version and the list of operations; ``API.read`` reads the operation of one row. Its modules are
imported one by one, since a cached list needs none of the readers.
"""
