"""The fixed fields of each object of OpenAPI, by version, as the specification lists them.

Rule 1: a version is its neighbour with a difference: what it adds, and with a minus what it takes away.
Rule 2: after a field stands what it holds, where that is an object of OpenAPI: ``=Info``, an array ``=[Tag]``, a map by
any name ``={Header}``, a map with extensions beside the names ``=<PathItem>``. Of all else nothing is told.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

Fields = Mapping[str, str]
"""What each field of an object holds; empty where that is no object of OpenAPI."""

_LIMITS = """default maximum exclusiveMaximum minimum exclusiveMinimum maxLength minLength pattern maxItems minItems
    uniqueItems enum multipleOf"""

_V20 = f"""
OpenAPI: swagger info=Info host basePath schemes consumes produces paths=<PathItem> definitions={{Schema}}
    parameters={{Parameter}} responses={{Response}} securityDefinitions={{SecurityScheme}} security tags=[Tag]
    externalDocs=ExternalDocumentation
Info: title description termsOfService contact=Contact license=License version
Contact: name url email
License: name url
PathItem: $ref get=Operation put=Operation post=Operation delete=Operation options=Operation head=Operation
    patch=Operation parameters=[Parameter]
Operation: tags summary description externalDocs=ExternalDocumentation operationId consumes produces
    parameters=[Parameter] responses=<Response> schemes deprecated security
ExternalDocumentation: description url
Parameter: name in description required schema=Schema type format allowEmptyValue items=Items collectionFormat {_LIMITS}
Items: type format items=Items collectionFormat {_LIMITS}
Response: description schema=Schema headers={{Header}} examples
Header: description type format items=Items collectionFormat {_LIMITS}
Tag: name description externalDocs=ExternalDocumentation
SecurityScheme: type description name in flow authorizationUrl tokenUrl scopes
Schema: $ref format title description required maxProperties minProperties type items=Schema allOf=[Schema]
    properties={{Schema}} additionalProperties=Schema discriminator readOnly xml=XML externalDocs=ExternalDocumentation
    example {_LIMITS}
XML: name namespace prefix attribute wrapped
"""

_V30 = """
OpenAPI: openapi info=Info servers=[Server] paths=<PathItem> components=Components security tags=[Tag]
    externalDocs=ExternalDocumentation
Info: title description termsOfService contact=Contact license=License version
Contact: name url email
License: name url
Server: url description variables={ServerVariable}
ServerVariable: enum default description
Components: schemas={Schema} responses={Response} parameters={Parameter} examples={Example}
    requestBodies={RequestBody} headers={Header} securitySchemes={SecurityScheme} links={Link} callbacks={Callback}
PathItem: $ref summary description get=Operation put=Operation post=Operation delete=Operation options=Operation
    head=Operation patch=Operation trace=Operation servers=[Server] parameters=[Parameter]
Operation: tags summary description externalDocs=ExternalDocumentation operationId parameters=[Parameter]
    requestBody=RequestBody responses=<Response> callbacks={Callback} deprecated security servers=[Server]
ExternalDocumentation: description url
Parameter: name in description required deprecated allowEmptyValue style explode allowReserved schema=Schema example
    examples={Example} content={MediaType}
RequestBody: description content={MediaType} required
MediaType: schema=Schema example examples={Example} encoding={Encoding}
Encoding: contentType headers={Header} style explode allowReserved
Response: description headers={Header} content={MediaType} links={Link}
Callback: *=PathItem
Example: summary description value externalValue
Link: operationRef operationId parameters requestBody description server=Server
Header: description required deprecated allowEmptyValue style explode allowReserved schema=Schema example
    examples={Example} content={MediaType}
Tag: name description externalDocs=ExternalDocumentation
SecurityScheme: type description name in scheme bearerFormat flows=OAuthFlows openIdConnectUrl
OAuthFlows: implicit=OAuthFlow password=OAuthFlow clientCredentials=OAuthFlow authorizationCode=OAuthFlow
OAuthFlow: authorizationUrl tokenUrl refreshUrl scopes
Schema: title multipleOf maximum exclusiveMaximum minimum exclusiveMinimum maxLength minLength pattern maxItems minItems
    uniqueItems maxProperties minProperties required enum type allOf=[Schema] oneOf=[Schema] anyOf=[Schema] not=Schema
    items=Schema properties={Schema} additionalProperties=Schema description format default nullable
    discriminator=Discriminator readOnly writeOnly xml=XML externalDocs=ExternalDocumentation example deprecated
Discriminator: propertyName mapping
XML: name namespace prefix attribute wrapped
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

_VERSIONS = {"2.0": (_V20,), "3.0": (_V30,), "3.1": (_V30, _V31), "3.2": (_V30, _V31, _V32)}


@lru_cache
def objects(version: str) -> Mapping[str, Fields]:
    """The objects of a version of OpenAPI (``"3.1"``) by name, each with its fixed fields."""
    found: dict[str, dict[str, str]] = {}
    for text in _VERSIONS[version]:
        fields: dict[str, str] = {}
        for word in text.split():
            if word.endswith(":"):
                fields = found.setdefault(word[:-1], {})
            elif word.startswith("-"):
                del fields[word[1:]]
            else:
                name, _, held = word.partition("=")
                fields[name] = held
    return found


def known_to(kind: str, field: str) -> str:
    """A version of OpenAPI in which an object has a field, the newest; empty where none has it."""
    return next((version for version in reversed(_VERSIONS) if field in objects(version).get(kind, {})), "")
