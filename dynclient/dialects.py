"""The differences between the versions of OpenAPI, as values of one class.

Rule 1: a version is its neighbour with a difference.
Rule 2: only the readers and ``_schemas`` use a Dialect; for all other packages the versions are the same.
"""

from __future__ import annotations

from dynclient._records import Record

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")


class Dialect(Record):
    """One version of OpenAPI: the differences in Path Items and Schema Objects.

    ``json_schema`` is the draft whose keywords a Schema Object uses; ``nullable`` the keyword that allows null in
    addition to ``type``, ``nullable_enum`` whether it adds null to an ``enum`` too; ``ref_siblings`` whether keywords
    next to a ``$ref`` count; ``identifiers`` whether ``$id``, ``$anchor``, ``$dynamicRef`` and ``$schema`` are known;
    ``type_file`` whether ``type: file`` is; ``schemas`` is the pointer of the object that has the named schemas.

    Keywords that mean the same in every version that has them are read in all versions, since documents use them in
    all: a boolean ``exclusiveMinimum``, a list in ``type``, ``const``, ``patternProperties``, an array in ``items``.
    """

    version: str
    json_schema: str = "https://json-schema.org/draft/2020-12/schema"
    schemas: str = "/components/schemas"
    methods: tuple[str, ...] = METHODS
    additional_operations: bool = False
    nullable: str | None = None
    nullable_enum: bool = False
    ref_siblings: bool = True
    identifiers: bool = True
    type_file: bool = False


OAS32 = Dialect(
    "3.2",
    methods=(*METHODS, "query"),
    additional_operations=True,
    # A keyword of 3.0, which 3.1 removed; many documents of 3.1 and 3.2 still use it.
    nullable="nullable",
)
OAS31 = OAS32._replace(version="3.1", methods=METHODS, additional_operations=False)
OAS30 = OAS31._replace(
    version="3.0",
    json_schema="http://json-schema.org/draft-04/schema#",
    ref_siblings=False,
    identifiers=False,
)
OAS20 = OAS30._replace(
    version="2.0",
    schemas="/definitions",
    # An extension that many tools support, but no specification defines: null is also allowed.
    nullable="x-nullable",
    nullable_enum=True,
    methods=METHODS[:-1],
    type_file=True,
)

DIALECTS: dict[str, Dialect] = {"2.0": OAS20, "3.0": OAS30, "3.1": OAS31, "3.2": OAS32}


_DRAFTS: dict[str, bool] = {
    "http://json-schema.org/draft-04/schema": False,
    "http://json-schema.org/draft-06/schema": False,
    "http://json-schema.org/draft-07/schema": False,
    "https://json-schema.org/draft/2019-09/schema": True,
}
"""The older drafts of JSON Schema, and whether keywords next to their ``$ref`` count."""


def with_draft(dialect: Dialect, schema: object) -> Dialect:
    """Return the dialect whose Schema Objects are written in the draft that ``$schema`` or ``jsonSchemaDialect`` names.

    A draft older than 2020-12 is read by its own rules; any other URI is read as 2020-12, which the dialect of
    OpenAPI 3.1 and later extends.
    """
    if not isinstance(schema, str):
        return dialect
    draft = schema.rstrip("#")
    if draft not in _DRAFTS:
        return dialect._replace(json_schema=OAS32.json_schema, ref_siblings=True, identifiers=True)
    return dialect._replace(json_schema=schema, nullable=None, ref_siblings=_DRAFTS[draft], identifiers=True)
