"""What differs between the versions of OpenAPI, as values of one class.

Rule 1: a version is its neighbour with a difference.
Rule 2: only the readers and ``_schemas`` read a Dialect; above them nobody can ask for a version.
"""

from __future__ import annotations

from typing import NamedTuple

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")


class Dialect(NamedTuple):
    """One version of OpenAPI, as far as Path Items and Schema Objects differ.

    ``json_schema`` is the draft whose words a Schema Object uses; ``nullable`` the keyword by which null is allowed
    beside ``type``; ``ref_siblings`` tells whether words beside a ``$ref`` count; ``boolean_exclusive`` whether
    ``exclusiveMinimum`` is a boolean; ``type_file`` whether ``type: file`` is known; ``xml_node_type`` whether the XML
    Object has ``nodeType``; ``schemas`` is the pointer under which named schemas stand.
    """

    version: str
    json_schema: str = "https://json-schema.org/draft/2020-12/schema"
    schemas: str = "/components/schemas"
    methods: tuple[str, ...] = METHODS
    additional_operations: bool = False
    nullable: str | None = None
    ref_siblings: bool = True
    boolean_exclusive: bool = False
    identifiers: bool = True
    type_file: bool = False
    xml_node_type: bool = False


OAS32 = Dialect("3.2", methods=(*METHODS, "query"), additional_operations=True, xml_node_type=True)
OAS31 = OAS32._replace(version="3.1", methods=METHODS, additional_operations=False, xml_node_type=False)
OAS30 = OAS31._replace(
    version="3.0",
    json_schema="http://json-schema.org/draft-04/schema#",
    nullable="nullable",
    ref_siblings=False,
    boolean_exclusive=True,
    identifiers=False,
)
OAS20 = OAS30._replace(
    version="2.0", schemas="/definitions", nullable="x-nullable", methods=METHODS[:-1], type_file=True
)

DIALECTS: dict[str, Dialect] = {"2.0": OAS20, "3.0": OAS30, "3.1": OAS31, "3.2": OAS32}
