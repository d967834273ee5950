"""The rules that documents and overlays declare: dynclient's ``x-pagination``, and other vendors' extensions.

A table picks the reader of each extension of an operation. A reader returns the members of a rule, or None if the
extension says that the operation has no pages. It raises ValueError for an invalid extension.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from dynclient._paging.answers import Answers, Asked, Field
from dynclient._paging.detection import detect
from dynclient._paging.rules import Evidence, Pagination, changed, checked, path_keys, path_text
from dynclient.exceptions import ArgumentError, DocumentError
from dynclient.json_pointer import escape
from dynclient.model import API, Operation

_Rule = dict[str, Any]
_OWN = "x-pagination"


def pagination(operation: Operation, api: API) -> Pagination | None:
    """How an operation's list is paginated: as the document declares, or else as detected; None if it has no pages.

    Raises:
        DocumentError: the schemas of its answer are broken.
    """
    answers = Answers(operation, api)
    found = detect(operation, api, answers)
    known = found or Pagination(key=operation.row.key)
    for name, read in _DIALECTS.items():
        if name not in operation.extensions:
            continue
        value = operation.extensions[name]
        if name == "x-fern-pagination" and value is True:
            value = _root(api).get(name)
        method = operation.method.lower()
        location = answers.location(f"/paths/{escape(operation.path)}/{method}/{escape(name)}")
        try:
            rule = read(value, answers)
            rule = checked(rule, name) if rule is not None else None
        except (ValueError, ArgumentError) as error:
            # An invalid declaration is not replaced by a guess: the caller has to pass ``by=``.
            reason = Evidence(f"{name} can't be read: {getattr(error, 'message', error)}", location)
            return replace(known, confidence="unclear", evidence=(reason, *known.evidence))
        return changed(known, rule, Evidence(f"{name} says so", location)) if rule is not None else None
    rule = _marked(answers)
    return changed(known, rule, Evidence("x-ms-list-… says so")) if rule else found


def _root(api: API) -> Mapping[str, Any]:
    """The root of the document: Fern's rule for all operations is at the root."""
    try:
        value = api.references.resolve("#", api.document_uri)[1] if api.references is not None else {}
    except DocumentError:
        return {}
    return value if isinstance(value, Mapping) else {}


def _mapping(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise ValueError("it is not a mapping")  # noqa: TRY004  # of the document's, as what is wrong in one
    return value


def _ours(value: Any, _: Answers) -> _Rule | None:
    if value is False or value is None:
        return None
    value = _mapping(value)
    return dict(value)


def _place(answers: Answers, name: str, in_: str = "") -> str:
    """A name of the request as a rule writes it: in its location in the operation, or in the query."""
    found = [one for one in answers.asked if one.target.name == name or one.target.keys == (name,)]
    if in_:
        found = [one for one in found if (one.target.in_ == "body") == (in_ == "requestBody")]
    return found[0].text if found else f"{'body' if in_ == 'requestBody' else 'query'} {name}"


def _speakeasy(value: Any, answers: Answers) -> _Rule | None:
    """https://www.speakeasy.com: ``type`` is cursor, offsetLimit or url; inputs and outputs."""
    value = _mapping(value)
    outputs = value.get("outputs") or {}
    rule: _Rule = {"items": _stripped(outputs.get("results")), "last": outputs.get("numPages")}
    inputs = {
        each.get("type"): _place(answers, str(each.get("name")), str(each.get("in") or ""))
        for each in value.get("inputs") or ()
    }
    rule["size"] = inputs.get("limit")
    kind = value.get("type")
    if kind == "url":
        rule["next"] = f"url <- {outputs.get('nextUrl')}"
    elif kind == "cursor" and "cursor" in inputs:
        rule["next"] = f"{inputs['cursor']} <- {outputs.get('nextCursor')}"
    elif kind == "offsetLimit" and "page" in inputs:
        rule["next"] = f"{inputs['page']} + 1"
    elif kind == "offsetLimit" and "offset" in inputs:
        rule["next"] = f"{inputs['offset']} + items"
    else:
        raise ValueError(f"type {kind!r} with inputs {sorted(map(str, inputs))}")
    return {name: one for name, one in rule.items() if one is not None}


def _stripped(path: Any) -> Any:
    """A JSONPath of all items, as the path of their list."""
    if not isinstance(path, str):
        return None
    for ending in ("[*]", ".*", "[:]"):
        path = path.removesuffix(ending)
    return path


def _fern(value: Any, answers: Answers) -> _Rule | None:
    """https://buildwithfern.com: cursor, offset or URL, with ``$request.…`` and ``$response.…``."""
    if value is False:
        return None
    value = _mapping(value)
    of_answer = {name: _from(value[name], "$response") for name in _FERN_ANSWERS if name in value}
    of_request = {
        name: _place(answers, str(keys[0]))
        if len(keys := path_keys(_from(value[name], "$request"))) == 1
        else f"body {path_text(keys)}"
        for name in ("cursor", "offset", "step")
        if name in value
    }
    rule = {ours: of_answer[name] for name, ours in _FERN_ANSWERS.items() if ours and name in of_answer}
    url = next((of_answer[name] for name in ("next_uri", "next_path", "next_url") if name in of_answer), None)
    if url is not None:
        return {**rule, "next": f"url <- {url}"}
    if "cursor" in of_request and "next_cursor" in of_answer:
        return {**rule, "next": f"{of_request['cursor']} <- {of_answer['next_cursor']}"}
    if "offset" not in of_request:
        raise ValueError("it has neither cursor and next_cursor, offset nor next_uri")
    if "step" in of_request:
        return {**rule, "next": f"{of_request['offset']} + items", "size": of_request["step"]}
    return {**rule, "next": f"{of_request['offset']} + 1"}


_FERN_ANSWERS = {
    "results": "items",
    "has-next-page": "more",
    **dict.fromkeys(("next_cursor", "next_uri", "next_path", "next_url"), ""),
}
"""Fern's members that are paths in the response, with dynclient's names for them."""


def _from(value: Any, root: str) -> str:
    """Convert a path that begins with ``$request`` or ``$response`` to one that begins with ``$``."""
    text = str(value)
    if not text.startswith(root):
        raise ValueError(f"{text!r} does not begin with {root}")
    return "$" + text.removeprefix(root)


def _pageable(value: Any, _: Answers) -> _Rule | None:
    """AutoRest: ``nextLinkName`` null means a single page, and ``itemName`` is ``value`` by default."""
    value = _mapping(value)
    link, item = value.get("nextLinkName"), value.get("itemName") or "value"
    if link is None:
        return None
    return {"items": _dotted(item), "next": f"url <- {_dotted(link)}"}


def _dotted(name: Any) -> str:
    """A name as a path; a backslash before a dot makes it part of the name."""
    return path_text(tuple(part.replace("\0", ".") for part in str(name).replace("\\.", "\0").split(".")))


def _kubernetes(value: Any, answers: Answers) -> _Rule | None:
    if value != "list":
        return None
    return {
        "items": "$.items",
        "next": f"{_place(answers, 'continue')} <- $.metadata.continue",
        "size": _place(answers, "limit"),
    }


_DIALECTS: Mapping[str, Callable[[Any, Answers], _Rule | None]] = {
    _OWN: _ours,
    "x-speakeasy-pagination": _speakeasy,
    "x-fern-pagination": _fern,
    "x-ms-pageable": _pageable,
    "x-kubernetes-action": _kubernetes,
}


def _marked(answers: Answers) -> _Rule:
    """TypeSpec's extensions of parameters and properties: ``x-ms-list-page-items`` and the like, all true."""
    asked: dict[str, Asked] = {}
    given: dict[str, Field] = {}
    for one in answers.asked:
        value = one.shape.schema.value if one.shape is not None else None
        by_parameter = next(
            (each.extensions for each in answers.operation.parameters if each.name == one.target.name), {}
        )
        for name in _marks(value) | _marks(by_parameter):
            asked.setdefault(name, one)
    for field in answers.fields:
        for name in _marks(field.schema.value):
            given.setdefault(name, field)
    token, asked_token = given.get("continuation-token"), asked.get("continuation-token")
    ways = (
        f"url <- {given['next-link'].path}" if "next-link" in given else None,
        f"{asked_token.text} <- {token.path}" if token is not None and asked_token is not None else None,
        f"{asked['page-index'].text} + 1" if "page-index" in asked else None,
        f"{asked['offset'].text} + items" if "offset" in asked else None,
    )
    following = next(filter(None, ways), None)
    rule = {
        "items": given["page-items"].path if "page-items" in given else None,
        "size": asked["page-size"].text if "page-size" in asked else None,
    }
    return {**{name: one for name, one in rule.items() if one}, "next": following} if following is not None else {}


def _marks(value: Any) -> set[str]:
    if not isinstance(value, Mapping):
        return set()
    return {str(name)[len("x-ms-list-") :] for name in value if str(name).startswith("x-ms-list-") and value[name]}
