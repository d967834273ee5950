"""Schemas and media types made of plain nodes, as a reader would make them."""

import pytest

from dynclient.codecs import json
from dynclient.dialects import DIALECTS
from dynclient.model import Encoding, Header, MediaType, Schema

URI = "memory:/document.yaml"


class Tree:
    """References within one tree of plain nodes."""

    def __init__(self, root):
        self.root = root

    def resolve(self, reference, base):
        pointer = reference.partition("#")[2]
        node = self.root
        for escaped in pointer.split("/")[1:]:
            key = escaped.replace("~1", "/").replace("~0", "~")
            node = node[int(key)] if isinstance(node, list) else node[key]
        return f"{URI}#{pointer}", node

    def place(self, uri):
        return "document.yaml", uri.partition("#")[2], None


def make_schema(node, components=None, version="3.1"):
    tree = Tree({"components": {"schemas": components or {}}, "definitions": components or {}, "schema": node})
    return Schema(f"{URI}#/schema", node, DIALECTS[version], tree)


def make_encoding(node, schema):
    """An Encoding Object as a reader makes it."""
    styled = {"style", "explode", "allowReserved"} & node.keys()
    style = node.get("style", "form") if styled else None
    return Encoding(
        content_type=node.get("contentType"),
        headers={
            name: Header(name, required=header.get("required", False), schema=schema._replace(
                uri=f"{URI}#/headers/{name}", value=header["schema"]))
            for name, header in node.get("headers", {}).items()
        },
        style=style,
        explode=node.get("explode", style in {None, "form"}),
        allow_reserved=node.get("allowReserved", False),
        encoding={name: make_encoding(each, schema) for name, each in node.get("encoding", {}).items()},
        prefix_encoding=tuple(make_encoding(each, schema) for each in node.get("prefixEncoding", ())),
        item_encoding=make_encoding(node["itemEncoding"], schema) if "itemEncoding" in node else None,
    )  # fmt: skip


def make_media_type(media_range, node, components=None, version="3.1"):
    schema = make_schema(node.get("schema"), components, version)
    item = make_schema(node.get("itemSchema"), components, version)
    found = make_encoding(node, schema)
    return MediaType(
        media_range,
        schema=schema if "schema" in node else None,
        item_schema=item if "itemSchema" in node else None,
        encoding=found.encoding,
        prefix_encoding=found.prefix_encoding,
        item_encoding=found.item_encoding,
    )


@pytest.fixture(scope="session")
def media_type():
    return make_media_type


@pytest.fixture(scope="session")
def schema():
    return make_schema


@pytest.fixture(autouse=True)
def msgspec_from_the_first(monkeypatch):
    """Read by msgspec from the first body on; otherwise the first few are read by the standard library."""
    monkeypatch.setattr(json, "_FIRST", iter(()))
