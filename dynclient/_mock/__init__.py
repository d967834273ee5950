"""A mock of an API: a Request goes in, and the Response that the document describes comes out.

The order of the steps: routing -> credentials -> parameters and body -> stored items -> media type -> response. The
first step that fails answers with an HTTP error.
Rule 1: this package has no sockets. ``dynclient.testing`` and the explorer put it behind a server or a transport.
Rule 2: whatever it answers, errors included, is what the document allows.
Rule 3: only ``wsgi`` needs werkzeug.
"""
