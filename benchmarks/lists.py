"""How well pagination is detected from documents: right, wrong and unclear, compared with vendors' own clients.

``python -m benchmarks.lists CORPUS [--octokit index.js] [--azure FOLDER]`` compares each document with the source of
the vendor's client, where that is installed or given: botocore's paginators, the page classes of openai, the list
methods of stripe, and the list of octokit's plugin. Kubernetes marks its lists itself, and so do Azure's documents, a
folder of them; these marks are hidden. ``-v`` prints what differs.
"""

from __future__ import annotations

import argparse
import gzip
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import dynclient
from dynclient._paging.detection import detect
from dynclient._paging.rules import LINK, Pagination

Truth = Mapping[str, str]
"""``METHOD /path``, or an operationId -> a pattern of what the rule's ``next`` must be; empty where it must be none."""

DOCUMENTS = {
    "github": "github/api.github.com.json",
    "openai": "openai/openapi.yaml",
    "stripe": "stripe/spec3.json",
    "s3": "apis-guru/amazonaws.com/s3.json",
    "sqs": "apis-guru/amazonaws.com/sqs.json",
    "kubernetes": "kubernetes/swagger.json",
}
_OPENAI = {
    "SyncPage": "",
    "SyncCursorPage": r"query after <- \$\.(data\[-1\]\.id|last_id)",
    "SyncConversationCursorPage": r"query after <- \$\.(data\[-1\]\.id|last_id)",
    "SyncNextCursorPage": r"query after <- \$\.next",
}


def _folder(package: str) -> Path | None:
    found = find_spec(package)
    return Path(found.origin).parent if found is not None and found.origin is not None else None


def _same(path: str) -> str:
    """A path whose parameters have no names."""
    return re.sub(r"\{[^}]*\}", "{}", path)


def octokit(file: Path | None) -> Truth:
    """Octokit follows the Link header; a page number leads there too, since a Link header always wins."""
    text = file.read_text() if file is not None else ""
    return {_same(key): rf"{LINK}|query page \+ 1" for key in re.findall(r'^\s+"(GET /[^"]*)"', text, re.MULTILINE)}


def openai() -> Truth:
    """The page classes of the methods that list."""
    folder, found = _folder("openai"), {}
    for file in sorted((folder / "resources").rglob("*.py")) if folder is not None else ():
        for path, page, rest in re.findall(
            r'_get_api_list\(\s*(?:path_template\(\s*)?f?"([^"]+)"(?:.|\n)*?page=(Sync\w+)\[((?:.|\n)*?)model=[^\n]*\n[^\n]*',
            file.read_text(),
        ):
            end = file.read_text().split(f'"{path}"', 1)[1].split("def ", 1)[0]
            method = "POST" if 'method="post"' in end else "GET"
            found[f"{method} {_same(path)}"] = _OPENAI.get(page, ".+")
            del rest
    return found


def stripe() -> Truth:
    """The methods that return a list, by the last id, and those that search, by a token."""
    folder, found = _folder("stripe"), {}
    for file in sorted(folder.rglob("_*_service.py")) if folder is not None else ():
        for kind, path in re.findall(
            r'"(ListObject|SearchResult)\[[^"]*",\s*self\._request\(\s*"get",\s*(?:"|f")?(/v1[^"]*|"[^"]*")',
            file.read_text(),
        ):
            rule = (
                r"query page <- \$\.next_page"
                if kind == "SearchResult"
                else r"query starting_after <- \$\.data\[-1\]\.id"
            )
            found[f"GET {_same(path)}"] = rule
    return found


def botocore(service: str) -> Truth:
    """The paginators, by operationId; of their tokens, the names in the answer."""
    folder, found = _folder("botocore"), {}
    for file in sorted((folder / "data" / service).rglob("paginators-1.json*")) if folder is not None else ():
        read: Callable[[Path], Any] = gzip.open if file.suffix == ".gz" else Path.open
        with read(file) as opened:
            listed = json.load(opened)["pagination"]
        for name, one in listed.items():
            tokens = one["output_token"] if isinstance(one["output_token"], list) else [one["output_token"]]
            names = [re.escape(token.split(" ")[0]) for token in tokens]
            found[name] = "; ".join(rf"\w+ [\w-]+ <- \$\.{each}" for each in names)
    return found


def marked(client: Any) -> Truth:
    """Kubernetes marks its lists."""
    operations = (client.api.read(row) for row in client.api.rows)
    return {
        _same(one.row.key): r"query continue <- \$\.metadata\.continue"
        for one in operations
        if one.extensions.get("x-kubernetes-action") == "list"
    }


def azure(folder: Path) -> Iterator[tuple[Any, Truth]]:
    """Each document that marks lists, without its marks, with the members that have the next page's URL."""
    action = {"target": "$.paths.*.*['x-ms-pageable']", "remove": True}
    hiding = {"overlay": "1.0.0", "info": {"title": "hide", "version": "1"}, "actions": [action]}
    for file in sorted(folder.rglob("*.json")):
        if "examples" in file.parts or "x-ms-pageable" not in (text := file.read_text("utf-8-sig")):
            continue
        marks = {
            f"{method.upper()} {_same(path)}": one["x-ms-pageable"].get("nextLinkName", "nextLink")
            for path, item in json.loads(text).get("paths", {}).items()
            for method, one in item.items()
            if isinstance(one, dict) and "x-ms-pageable" in one
        }
        client = dynclient.load(file, cache=False, references=[folder], overlays=[hiding])
        yield client, {key: rf"url <- \$(\.|\['){re.escape(name)}('\])?" for key, name in marks.items() if name}


def compared(client: Any, truth: Truth) -> Iterator[tuple[str, str, str]]:
    """Each operation that pages by truth or by detection: its verdict, its key, and what was found.

    ``right``; ``wrong`` if what would be used is not the truth; ``unclear`` if nothing would be used unasked.
    """
    for row in client.api.rows:
        try:
            found = detect(client.api.read(row), client.api)
        except dynclient.DocumentError:
            continue
        operation_id = (row.operation_id or "").removeprefix("GET_").removeprefix("POST_")
        expected = truth.get(_same(row.key), truth.get(operation_id))
        if expected is None:
            if found is not None and found.is_usable:
                yield "beyond", row.key, found.next or ""
        else:
            yield _verdict(found, expected), row.key, (found.next if found is not None else None) or "none"


def _verdict(found: Pagination | None, expected: str) -> str:
    if found is None or not found.is_usable:
        return "unclear" if expected else "right"
    return "right" if expected and re.fullmatch(expected, found.next or "") else "wrong"


def counted(name: str, client: Any, octokit_list: Path | None = None) -> tuple[dict[str, int], list[str]]:
    """The verdicts of a document, and the lines of those that differ; without a truth, of nothing."""
    truths: Mapping[str, Callable[[], Truth]] = {
        "github": lambda: octokit(octokit_list),
        "openai": openai,
        "stripe": stripe,
        "s3": lambda: botocore("s3"),
        "sqs": lambda: botocore("sqs"),
        "kubernetes": lambda: marked(client),
    }
    return tallied([(client, truths[name]())])


def tallied(documents: Iterable[tuple[Any, Truth]]) -> tuple[dict[str, int], list[str]]:
    """The verdicts of documents with their truths, and the lines of those that differ."""
    counts, lines = dict.fromkeys(("right", "wrong", "unclear", "beyond"), 0), []
    for client, truth in documents:
        for verdict, key, shown in compared(client, truth) if truth else ():
            counts[verdict] += 1
            if verdict != "right":
                lines.append(f"  {verdict:8} {key}: {shown}")
    return counts, lines


def main() -> None:
    """Print a line for each document."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--octokit", type=Path)
    parser.add_argument("--azure", type=Path)
    parser.add_argument("-v", "--verbose", action="store_true")
    given = parser.parse_args()
    print(f"{'document':12} right wrong unclear beyond the truth")
    for name, path in {**DOCUMENTS, **({"azure": ""} if given.azure else {})}.items():
        if name == "azure":
            counts, lines = tallied(azure(given.azure))
        else:
            counts, lines = counted(name, dynclient.load(given.corpus / path, auth=None), given.octokit)
        print(f"{name:12} {counts['right']:5} {counts['wrong']:5} {counts['unclear']:7} {counts['beyond']:6}")
        if given.verbose:
            print("\n".join(lines))


if __name__ == "__main__":
    main()
