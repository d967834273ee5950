"""Parameters, headers and form fields: plain values <-> text, by location and style.

Rule 1: one table (:data:`STYLES`) serves both directions, and nothing here depends on an OpenAPI version.
Rule 2: a value can never change the message that it is written into: it can't break a path, a header or a cookie.
Rule 3: ``in: querystring`` and parameters with ``content`` are written by a codec, not here.
"""

from dynclient._styles.serialization import ABSENT, STYLES, Style, deserialize, fields, scalar, serialize

__all__ = ["ABSENT", "STYLES", "Style", "deserialize", "fields", "scalar", "serialize"]
