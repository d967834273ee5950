"""A mock of an API: it turns a Request into the Response that the document describes.

The order of the steps: routing -> credentials -> parameters and body -> stored items -> media type -> response. The
first step that fails answers with an HTTP error.
Rule 1: this package has no sockets. ``dynclient.testing`` and the explorer put it behind a server or a transport.
Rule 2: all its responses, errors included, are valid by the document.
Rule 3: only ``wsgi`` needs werkzeug.
"""
