"""An ElementTree, as ``ET.parse`` gives it, is sent as its root element is."""

from __future__ import annotations

import xml.etree.ElementTree as ET  # trees of this file's own
from pathlib import Path

import dynclient

OPENAPI = Path(__file__).parents[2] / "openapi"


def test_where_the_body_is_markup():
    root = ET.fromstring("<Bxml><Hangup/></Bxml>")
    voice = dynclient.load(OPENAPI / "voice.yaml")
    asked = voice.update_call_bxml.prepare("9900000", "c-1", ET.ElementTree(root))
    assert asked == voice.update_call_bxml.prepare("9900000", "c-1", root)
    assert ET.fromstring(asked.body).tag == "Bxml"


def test_where_the_document_describes_it():
    orders = dynclient.load(OPENAPI / "orders.yaml", base_url="https://orders.example")
    create = orders.operations["createOrder"].with_options(content_type="application/xml")
    root = ET.fromstring(create.prepare(**create.example()).body)
    assert create.prepare(body=ET.ElementTree(root)) == create.prepare(body=root)
