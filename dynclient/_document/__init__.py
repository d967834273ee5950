"""Load documents: read a path, URL, text, bytes or mapping to a plain tree, and resolve ``$ref``.

Its modules are imported one by one, since a cached list of operations needs few of them.
"""
