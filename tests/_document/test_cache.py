"""The cache and its environment: hidden changes, full disks, full home folders, clocks, real servers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time

import pytest

from dynclient import _load
from dynclient._document import cache
from dynclient._document.cache import Cache, made_by
from dynclient._load import load
from dynclient.exceptions import TransportError

FILLING = "# " + "x" * 3000 + "\n"


@pytest.fixture(autouse=True)
def unshared(monkeypatch):
    """Each load is that of a new process."""

    class Forgetful(dict):
        def __setitem__(self, key, value):
            pass

    monkeypatch.setattr(_load, "_HELD", Forgetful())


@pytest.fixture
def settled(monkeypatch):
    """Files that a test has just written count as old."""
    monkeypatch.setattr(cache, "_YOUNG", -(10**12))


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "cache"


def text_of(name):
    paths = {"/a": {"get": {"operationId": name, "responses": {"200": {"description": "ok"}}}}}
    return FILLING + json.dumps({"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "paths": paths})


def ids(path, folder):
    return [row.operation_id for row in load(path, cache=folder).rows]


def is_read(folder):
    """Whether the one form in a folder can be used."""
    cache = Cache(str(folder))
    (entry,) = cache.entries()
    return cache.source(entry) != "-"


def test_a_change_within_one_tick_of_the_clock_is_seen(tmp_path, folder):
    path = tmp_path / "a.yaml"
    path.write_text(text_of("one"))
    first = path.stat()
    assert ids(path, folder) == ["one"]
    path.write_text(text_of("two"))
    # As a file system with coarse times would show it: the same size, the same time.
    os.utime(path, ns=(first.st_mtime_ns, first.st_mtime_ns))
    assert path.stat().st_size == first.st_size
    assert ids(path, folder) == ["two"]


def test_a_change_that_puts_its_time_back_is_seen(tmp_path, folder, settled):
    path = tmp_path / "a.yaml"
    path.write_text(text_of("one"))
    assert ids(path, folder) == ids(path, folder) == ["one"]
    first = path.stat()
    path.write_text(text_of("two"))
    while path.stat().st_ctime_ns == first.st_ctime_ns:
        os.utime(path, ns=(first.st_mtime_ns, first.st_mtime_ns))
    os.utime(path, ns=(first.st_mtime_ns, first.st_mtime_ns))
    assert (path.stat().st_size, path.stat().st_mtime_ns) == (first.st_size, first.st_mtime_ns)
    assert ids(path, folder) == ["two"]


def test_another_file_by_the_same_name_is_seen(tmp_path, folder, settled):
    path, other = tmp_path / "a.yaml", tmp_path / "b.yaml"
    path.write_text(text_of("one"))
    assert ids(path, folder) == ["one"]
    first = path.stat()
    other.write_text(text_of("two"))
    os.utime(other, ns=(first.st_mtime_ns, first.st_mtime_ns))
    other.replace(path)
    assert ids(path, folder) == ["two"]


def test_a_link_that_leads_elsewhere_is_seen(tmp_path, folder, settled):
    for name in ("one", "two"):
        (tmp_path / f"{name}.yaml").write_text(text_of(name))
    link = tmp_path / "a.yaml"
    for name in ("one", "two", "one"):
        link.unlink(missing_ok=True)
        link.symlink_to(tmp_path / f"{name}.yaml")
        assert ids(link, folder) == [name]


@pytest.mark.parametrize("years", [-30, 30])
def test_a_file_of_another_time_is_compared_by_its_bytes(tmp_path, folder, years):
    path = tmp_path / "a.yaml"
    then = int((time.time() + years * 365.25 * 86400) * 1e9)
    for name in ("one", "two"):
        path.write_text(text_of(name))
        os.utime(path, ns=(then, then))
        assert ids(path, folder) == [name]


def test_a_cache_of_another_time_is_read_and_bounded(tmp_path, folder, settled):
    path = tmp_path / "a.yaml"
    path.write_text(text_of("one"))
    assert ids(path, folder) == ["one"]
    (file,) = folder.iterdir()
    for seconds in (0, 2**33):
        os.utime(file, (seconds, seconds))
        assert is_read(folder)
        assert ids(path, folder) == ["one"]
    Cache(str(folder)).trim(files=0)
    assert list(folder.iterdir()) == []


def test_a_form_that_belongs_to_somebody_else_is_not_read(tmp_path, folder, settled, monkeypatch):
    path = tmp_path / "a.yaml"
    path.write_text(text_of("one"))
    assert ids(path, folder) == ["one"]
    assert is_read(folder)
    me = os.getuid()
    monkeypatch.setattr(os, "getuid", lambda: me + 1)
    assert not is_read(folder)
    assert ids(path, folder) == ["one"]


def test_a_folder_in_the_place_of_a_form(tmp_path, folder, settled):
    path = tmp_path / "a.yaml"
    path.write_text(text_of("one"))
    assert ids(path, folder) == ["one"]
    (file,) = folder.iterdir()
    file.unlink()
    file.mkdir()
    assert ids(path, folder) == ["one"]
    assert [each.name for each in folder.iterdir()] == [file.name]
    file.rmdir()
    os.mkfifo(file)
    assert ids(path, folder) == ["one"]


ROOM = """
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]), resource.RLIM_INFINITY))
from dynclient._load import load
print([row.operation_id for row in load(sys.argv[1], cache=sys.argv[2] or True).rows])
"""


def run(code, *arguments, **variables):
    environment = {**os.environ, **variables}
    command = [sys.executable, "-c", code, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout.strip()


@pytest.mark.parametrize("room", [0, 1, 500])
def test_a_disk_without_room(tmp_path, folder, room):
    path = tmp_path / "a.yaml"
    path.write_text(text_of("one") + " " * 100)
    # Python would keep bytecode that it can't write whole.
    assert run(ROOM, path, folder, room, PYTHONDONTWRITEBYTECODE="1") == "['one']"
    assert list(folder.iterdir()) == []


def test_a_home_that_can_not_be_written(tmp_path):
    path = tmp_path / "a.yaml"
    path.write_text(text_of("one"))
    variables = {"HOME": "/proc/nowhere", "XDG_CACHE_HOME": "", "DYNCLIENT_CACHE": ""}
    assert run(ROOM, path, "", 10**9, **variables) == "['one']"


CROWD = """
import os, random, sys
from dynclient import _load
from dynclient._document.cache import Cache
path, folder, names = sys.argv[1], sys.argv[2], sys.argv[3:]
for turn in range(60):
    if random.random() < 0.2:
        Cache(folder).clear()
    if random.random() < 0.2:
        for entry in Cache(folder).entries():
            try:
                os.truncate(entry.path, random.randrange(entry.size + 1))
            except FileNotFoundError:
                pass
    api = _load.load(path, cache=folder)
    assert [api.read(row).id for row in api.rows] == names, turn
    _load._HELD.clear()
"""


def test_processes_that_clear_and_damage_what_others_read(tmp_path, folder):
    path = tmp_path / "a.yaml"
    path.write_text(text_of("one"))
    command = [sys.executable, "-c", CROWD, str(path), str(folder), "one"]
    crowd = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(3)]
    for each in crowd:
        assert each.communicate(timeout=60)[1] == ""
        assert each.returncode == 0


@pytest.mark.parametrize("validator", ["ETag", "Last-Modified"])
def test_a_real_server_is_asked_and_may_be_gone(httpserver, folder, validator):
    from werkzeug import Response

    value = {"text": text_of("one"), "mark": '"a"' if validator == "ETag" else "Fri, 20 Nov 2026 10:00:00 GMT"}
    asked = []
    condition = {"ETag": "If-None-Match", "Last-Modified": "If-Modified-Since"}[validator]

    def answer(request):
        asked.append(request.headers.get(condition))
        if asked[-1] == value["mark"]:
            return Response(status=304)
        return Response(value["text"], headers={validator: value["mark"]}, content_type="application/yaml")

    httpserver.expect_request("/openapi.yaml").respond_with_handler(answer)
    url = httpserver.url_for("/openapi.yaml")
    assert ids(url, folder) == ids(url, folder) == ["one"]
    first = value["mark"]
    value.update(text=text_of("two"), mark='"b"' if validator == "ETag" else "Fri, 20 Nov 2026 11:00:00 GMT")
    assert ids(url, folder) == ids(url, folder) == ["two"]
    assert asked == [None, first, first, value["mark"]]
    httpserver.stop()
    try:
        assert ids(url, folder) == ["two"]
        with pytest.raises(TransportError):
            load(url, cache=False)
    finally:
        httpserver.start()


def test_a_server_that_marks_nothing_is_asked_for_the_whole(httpserver, folder):
    url = httpserver.url_for("/openapi.yaml")
    for name in ("one", "two"):
        httpserver.clear()
        httpserver.expect_request("/openapi.yaml").respond_with_data(text_of(name), content_type="application/yaml")
        assert ids(url, folder) == [name]


def test_a_form_of_other_code_is_made_anew(tmp_path, folder, settled, monkeypatch):
    path = tmp_path / "a.yaml"
    path.write_text(text_of("one"))
    load(path, cache=folder)
    (file,) = folder.iterdir()
    before = file.read_bytes()
    made_by.cache_clear()
    monkeypatch.setattr("dynclient._document.cache.__version__", "0.0.other")
    try:
        assert ids(path, folder) == ["one"]
        assert file.read_bytes() != before
    finally:
        made_by.cache_clear()
