"""The smallest valid files of some media types, for responses whose schema says only that they are bytes.

Each is made from its parts, and opens with an ordinary reader: an image has one pixel, a PDF one empty page, an archive
one file.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Mapping
from functools import cache

from dynclient.media_types import essence


def _gif() -> bytes:
    # GIF89a: screen descriptor, a palette of black and white, the image descriptor, LZW codes, trailer.
    header = b"GIF89a" + struct.pack("<HHBBB", 1, 1, 0x80, 0, 0) + b"\0\0\0\xff\xff\xff"
    return header + b"," + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\2\2\x44\1\0;"


def _png() -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    # 8 bits of grey for each pixel; a row begins with its filter.
    header = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
    pixels = zlib.compress(b"\0\xff")
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def _jpeg() -> bytes:
    def segment(marker: int, data: bytes) -> bytes:
        return struct.pack(">BBH", 0xFF, marker, len(data) + 2) + data

    # Each Huffman table has one code of one bit, for 0: no difference from grey, and no further coefficient.
    code = b"\1" + b"\0" * 15 + b"\0"
    frame = struct.pack(">BHHBBBB", 8, 1, 1, 1, 1, 0x11, 0)
    tables = segment(0xDB, b"\0" + b"\1" * 64) + segment(0xC0, frame) + segment(0xC4, b"\0" + code + b"\x10" + code)
    return b"\xff\xd8" + tables + segment(0xDA, b"\1\1\0\0\x3f\0") + b"\x3f\xff\xd9"


def _webp() -> bytes:
    # RIFF, and a lossless image whose five prefix codes have one symbol each.
    image = b"\x2f\0\0\0\0\x07\x10\x11\x11\x88\x88\x08\0"
    chunk = b"WEBPVP8L" + struct.pack("<I", len(image)) + image + b"\0" * (len(image) % 2)
    return b"RIFF" + struct.pack("<I", len(chunk)) + chunk


def _pdf() -> bytes:
    objects = (
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Resources<<>>>>",
    )
    body, offsets = b"%PDF-1.4\n", []
    for number, content in enumerate(objects, 1):
        offsets.append(len(body))
        body += b"%d 0 obj%b\nendobj\n" % (number, content)
    table = b"xref\n0 4\n0000000000 65535 f \n" + b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    return body + table + b"trailer<</Size 4/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % len(body)


def _zip() -> bytes:
    import io
    import zipfile

    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        # The time is fixed, so that the bytes are the same in every run.
        archive.writestr(zipfile.ZipInfo("example.txt"), "example\n")
    return file.getvalue()


def _gzip() -> bytes:
    import gzip

    return gzip.compress(b"example\n", mtime=0)


def _wav() -> bytes:
    # One channel of 8 bits, 8,000 samples in a second; eight samples of silence.
    form = struct.pack("<HHIIHH", 1, 1, 8000, 8000, 1, 8)
    chunks = b"WAVEfmt " + struct.pack("<I", len(form)) + form + b"data" + struct.pack("<I", 8) + b"\x80" * 8
    return b"RIFF" + struct.pack("<I", len(chunks)) + chunks


FILES: Mapping[str, Callable[[], bytes]] = {
    "application/gzip": _gzip,
    "application/pdf": _pdf,
    "application/x-gzip": _gzip,
    "application/x-zip-compressed": _zip,
    "application/zip": _zip,
    "audio/vnd.wave": _wav,
    "audio/wav": _wav,
    "audio/wave": _wav,
    "audio/x-wav": _wav,
    "image/gif": _gif,
    "image/jpeg": _jpeg,
    "image/jpg": _jpeg,
    "image/png": _png,
    "image/webp": _webp,
}


@cache
def _made(content_type: str) -> bytes | None:
    return FILES[content_type]() if content_type in FILES else None


def file_of(content_type: str) -> bytes | None:
    """Return the smallest valid file of a content type; None if there is none here."""
    return _made(essence(content_type))
