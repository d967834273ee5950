"""The fixed fields of each object of OpenAPI, by version, as the specification lists them; and misspelt ones.

Rule 1: a version is what all have in common, and its neighbour with a difference: the fields that it adds, and with a
minus those that it removes. Objects with the same fields are named together, with commas between them.
Rule 2: after a field is the object of OpenAPI that it holds: ``=Info``, an array ``=[Tag]``, a map by any name
``={Header}``, a map with extensions beside the names ``=<PathItem>``. Other values have no entry.
Rule 3: an object has the fixed fields of its version, and extensions, ``x-…``. Any other member is misspelt, or of
another version, and is not read.
Rule 4: since 3.1 a schema may have foreign keywords: there only names that nearly equal a known one are reported.
Rule 5: a thousand reports are enough: a generator makes the same mistake everywhere.
Rule 6: the author's own data (examples, defaults, enums, extensions) is not looked into.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from functools import lru_cache
from itertools import islice
from typing import Any

from dynclient._document import Document
from dynclient._readers.api import version_of
from dynclient._records import Record
from dynclient.exceptions import DocumentError, DocumentLocation, InvalidDocument
from dynclient.json_pointer import escape

Fields = Mapping[str, str]
"""The object of OpenAPI that each field holds; empty for other values."""

_LIMITS = """default maximum exclusiveMaximum minimum exclusiveMinimum maxLength minLength pattern maxItems minItems
    uniqueItems enum multipleOf"""

_COMMON = f"""
OpenAPI: info=Info paths=<PathItem> security tags=[Tag] externalDocs=ExternalDocumentation
Info: title description termsOfService contact=Contact license=License version
Contact: name url email
License: name url
PathItem: $ref get=Operation put=Operation post=Operation delete=Operation options=Operation head=Operation
    patch=Operation parameters=[Parameter]
Operation: tags summary description externalDocs=ExternalDocumentation operationId parameters=[Parameter]
    responses=<Response> deprecated security
ExternalDocumentation: description url
Parameter: name in description required allowEmptyValue schema=Schema
Response: description headers={{Header}}
Header: description
Tag: name description externalDocs=ExternalDocumentation
SecurityScheme: type description name in
Schema: title description type format required maxProperties minProperties items=Schema allOf=[Schema]
    properties={{Schema}} additionalProperties=Schema readOnly xml=XML externalDocs=ExternalDocumentation example
    {_LIMITS}
XML: name namespace prefix attribute wrapped
"""

_V20 = f"""
OpenAPI: swagger host basePath schemes consumes produces definitions={{Schema}} parameters={{Parameter}}
    responses={{Response}} securityDefinitions={{SecurityScheme}}
Operation: consumes produces schemes
Parameter,Header,Items: type format items=Items collectionFormat {_LIMITS}
Response: schema=Schema examples
SecurityScheme: flow authorizationUrl tokenUrl scopes
Schema: $ref discriminator
"""

_V30 = """
OpenAPI: openapi servers=[Server] components=Components
Server: url description variables={ServerVariable}
ServerVariable: enum default description
Components: schemas={Schema} responses={Response} parameters={Parameter} examples={Example}
    requestBodies={RequestBody} headers={Header} securitySchemes={SecurityScheme} links={Link} callbacks={Callback}
PathItem: summary description trace=Operation servers=[Server]
Operation: requestBody=RequestBody callbacks={Callback} servers=[Server]
Parameter,Header: required deprecated allowEmptyValue style explode allowReserved schema=Schema example
    examples={Example} content={MediaType}
RequestBody: description content={MediaType} required
MediaType: schema=Schema example examples={Example} encoding={Encoding}
Encoding: contentType headers={Header} style explode allowReserved
Response: content={MediaType} links={Link}
Callback: *=PathItem
Example: summary description value externalValue
Link: operationRef operationId parameters requestBody description server=Server
SecurityScheme: scheme bearerFormat flows=OAuthFlows openIdConnectUrl
OAuthFlows: implicit=OAuthFlow password=OAuthFlow clientCredentials=OAuthFlow authorizationCode=OAuthFlow
OAuthFlow: authorizationUrl tokenUrl refreshUrl scopes
Schema: oneOf=[Schema] anyOf=[Schema] not=Schema nullable discriminator=Discriminator writeOnly deprecated
Discriminator: propertyName mapping
"""

# The keywords of JSON Schema 2020-12, and those of older drafts that it still has a meaning for.
_V31 = """
OpenAPI: jsonSchemaDialect webhooks={PathItem}
Info: summary
License: identifier
Components: pathItems={PathItem}
Schema: -nullable $schema $id $anchor $ref $dynamicRef $dynamicAnchor $vocabulary $comment $defs={Schema}
    if=Schema then=Schema else=Schema dependentSchemas={Schema} prefixItems=[Schema] contains=Schema
    patternProperties={Schema} propertyNames=Schema unevaluatedItems=Schema unevaluatedProperties=Schema const
    maxContains minContains dependentRequired examples contentEncoding contentMediaType contentSchema=Schema
    definitions={Schema} dependencies additionalItems=Schema id $recursiveRef $recursiveAnchor
"""

_V32 = """
OpenAPI: $self
Server: name
Components: mediaTypes={MediaType}
PathItem: query=Operation additionalOperations={Operation}
MediaType: description itemSchema=Schema prefixEncoding=[Encoding] itemEncoding=Encoding
Encoding: encoding={Encoding} prefixEncoding=[Encoding] itemEncoding=Encoding
Response: summary
Example: dataValue serializedValue
Tag: summary parent kind
SecurityScheme: oauth2MetadataUrl deprecated
OAuthFlows: deviceAuthorization=OAuthFlow
OAuthFlow: deviceAuthorizationUrl
Discriminator: defaultMapping
XML: nodeType
"""

_V3 = (_COMMON, _V30, _V31, _V32)
_VERSIONS = {"2.0": (_COMMON, _V20), "3.0": _V3[:2], "3.1": _V3[:3], "3.2": _V3}


@lru_cache
def objects(version: str) -> Mapping[str, Fields]:
    """Return the objects of a version of OpenAPI (``"3.1"``) by name, each with its fixed fields."""
    found: dict[str, dict[str, str]] = {}
    for text in _VERSIONS[version]:
        current: list[dict[str, str]] = []
        for word in text.split():
            if word.endswith(":"):
                current = [found.setdefault(name, {}) for name in word[:-1].split(",")]
                continue
            name, _, held = word.removeprefix("-").partition("=")
            for fields in current:
                if word.startswith("-"):
                    del fields[name]
                else:
                    fields[name] = held
    return found


def known_to(kind: str, field: str) -> str:
    """Return the newest version of OpenAPI in which an object has a field; empty if there is none."""
    return next((version for version in reversed(_VERSIONS) if field in objects(version).get(kind, {})), "")


_ALIKE = 0.75
_ALL_BUT_EQUAL = 0.85
_SHORTEST, _LONGEST = 4, 40
_MOST = 1_000
_REFERENCE = "$ref"


class _At(Record):
    """A value, its URI, and the object of OpenAPI that it should be."""

    value: Any
    uri: str
    kind: str


# Keywords whose value may be any JSON.
_MAY_BE_NULL = frozenset({"const", "default", "example"})


def misspelt(document: Document) -> Iterator[DocumentError]:
    """Yield an error for each unknown member of a document's objects, and of those that they refer to.

    Raises:
        DocumentError: the document's version is unknown.
    """
    return islice(_unknown(document), _MOST)


def _unknown(document: Document) -> Iterator[DocumentError]:
    version = version_of(document)[1].version
    known = objects(version)
    waiting = [_At(document.root, f"{document.uri}#", "OpenAPI")]
    seen: set[tuple[str, str]] = set()
    while waiting:
        at = waiting.pop()
        if not isinstance(at.value, Mapping) or (at.uri, at.kind) in seen:
            continue
        seen.add((at.uri, at.kind))
        target = _target(document, at)
        if target is not None:
            waiting.append(target)
        # OAS 3.1.1, Reference Object: what stands beside is ignored; Path Items and the schemas of 3.1 may say more.
        if _REFERENCE in at.value and _REFERENCE not in known[at.kind]:
            continue
        fields = known[at.kind]
        for name, value in at.value.items():
            held = fields.get(name, fields.get("*"))
            if name.startswith("x-"):
                continue
            if held is not None and value is None and at.kind == "Schema" and name not in _MAY_BE_NULL:
                message = f"`{name}` has no value" + (", which counts as the type null" if name == "type" else "")
                yield InvalidDocument(message, location=DocumentLocation(*document.location(f"{at.uri}/{name}")))
            elif held is not None:
                waiting += _held(at, name, value, held)
            elif message := _described(at.kind, name, fields, version):
                uri = f"{at.uri}/{escape(name)}"
                yield InvalidDocument(message, location=DocumentLocation(*document.location(uri)))


def _target(document: Document, at: _At) -> _At | None:
    """Return the target of a Reference Object; None if it can't be resolved, which is reported elsewhere."""
    reference = at.value.get(_REFERENCE)
    if not isinstance(reference, str):
        return None
    try:
        uri, value = document.resolve(reference, at.uri)
    except DocumentError:
        return None
    return _At(value, uri, at.kind)


def _held(at: _At, name: str, value: Any, held: str) -> Iterator[_At]:
    """Yield the objects that a field holds."""
    uri, kind = f"{at.uri}/{escape(name)}", held.strip("[]{}<>")
    if not kind:
        return
    if held == kind:
        # A JSON Schema's `items` and `dependencies` of older drafts may be an array.
        yield _At(value, uri, kind)
    elif held.startswith("["):
        for index, member in enumerate(value if isinstance(value, list) else ()):
            yield _At(member, f"{uri}/{index}", kind)
    elif isinstance(value, Mapping):
        for key, member in value.items():
            if held.startswith("{") or not key.startswith("x-"):
                yield _At(member, f"{uri}/{escape(key)}", kind)


def _described(kind: str, name: str, fields: Fields, version: str) -> str:
    """Describe a member that is not one of the fields; empty if it is not to be reported."""
    if (kind, name) == ("Schema", "nullable"):
        return "`nullable` was removed in OpenAPI 3.1; it is taken as 3.0 means it. Write `null` into `type` instead"
    other = known_to(kind, name)
    may_be_foreign = kind == "Schema" and version >= "3.1" and not other
    meant = _meant(name, fields, _ALL_BUT_EQUAL if may_be_foreign else _ALIKE)
    if may_be_foreign and (not meant or len(name) < _SHORTEST):
        return ""
    if other:
        hint = f"OpenAPI {other} has it"
    elif meant:
        hint = f"did you mean `{meant}`?"
    else:
        hint = "extensions begin with `x-`"
    article = "an" if kind[0] in "AEIOU" else "a"
    return f"`{name[:_LONGEST]}` is not a field of {article} {_spaced(kind)} Object; {hint}"


def _meant(name: str, fields: Iterable[str], likeness: float) -> str:
    """Return the field most similar to a name, if its likeness (0 to 1) suffices; capitals make no difference."""
    if len(name) > _LONGEST:
        return ""
    known = {field.lower(): field for field in fields}
    found = get_close_matches(name.lower(), known, 1, likeness)
    return known[found[0]] if found else ""


def _spaced(kind: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z][a-z])", " ", kind)
