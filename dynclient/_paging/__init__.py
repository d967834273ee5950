"""Lists that come in pages: how an operation pages, and the steps from one page to the next.

``detection`` reads the rule off an operation, with evidence; ``rules`` has the rule as a value, and reads those that a
caller or a document declares; ``stepping`` makes the requests of the pages one after the other, without any I/O;
``pages`` has the two drivers of that, for threads and for tasks.
"""
