"""A stand-in for the Hub's API: a repository is made, a folder uploaded, and what was sent is downloaded again."""

import base64
import hashlib
import json
import re
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

COMMIT = "0" * 40


class Hub:
    """What was sent: `created` asks for a repository, `files` are its content by path, `lfs` those outside of git.

    `fetched` are the files that were downloaded; of a repository called 'spoilt' the last bit of each is another one.
    """

    def __init__(self, refuse=None, existing=()):
        self.refuse, self.existing = refuse, list(existing)
        self.created, self.files, self.lfs, self.deleted, self.tokens = None, {}, set(), set(), set()
        self.fetched, self._blobs = [], {}

    def answer(self, method, path, body, address):
        if self.refuse:
            return self.refuse, {"error": "no"}
        if path.startswith("/api/repos/create"):
            self.created = json.loads(body)
            return 200, {"url": f"{address}/spaces/someone/lab", "name": "someone/lab"}
        if path.startswith("/api/validate-yaml"):
            return 200, {"errors": [], "warnings": []}
        if path.startswith("/blob/"):
            self._blobs[path.rpartition("/")[2]] = body
            return 200, {}
        for pattern, reply in (
            ("/preupload/", self._modes),
            ("/objects/batch", self._batch),
            ("/commit/", self._commit),
        ):
            if pattern in path:
                return 200, reply(body, address)
        if "/tree/" in path:
            there = [*self.existing, *self.files]
            return 200, [{"type": "file", "path": name, "oid": "0" * 40, "size": 1} for name in there]
        if "/resolve/" in path:
            repository, _, place = path.partition("/resolve/")
            return self._file(place.partition("/")[2], repository)
        siblings = [self._sibling(name) for name in self.files]
        return 200, {"id": "someone/lab", "sha": COMMIT, "siblings": siblings, "tags": [], "private": False}

    def _sibling(self, name):
        content = self.files[name]
        found = {"rfilename": name, "size": len(content), "blobId": "0" * 40}
        lfs = {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content), "pointerSize": 134}
        return found | ({"lfs": lfs} if name in self.lfs else {})

    def _file(self, name, repository):
        if name not in self.files:
            return 404, {"error": "Entry not found"}, {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": COMMIT}
        self.fetched.append(name)
        content = self.files[name]
        if repository.endswith("/spoilt"):
            content = content[:-1] + bytes([content[-1] ^ 1])
        return 200, content, {"ETag": f'"{hashlib.sha256(content).hexdigest()}"', "X-Repo-Commit": COMMIT}

    def _modes(self, body, _):
        def mode(file):
            return "lfs" if b"\0" in base64.b64decode(file["sample"]) else "regular"

        asked = json.loads(body)["files"]
        return {"files": [{"path": one["path"], "uploadMode": mode(one), "shouldIgnore": False} for one in asked]}

    def _batch(self, body, address):
        objects = json.loads(body)["objects"]
        links = [{**one, "actions": {"upload": {"href": f"{address}/blob/{one['oid']}"}}} for one in objects]
        return {"transfer": "basic", "objects": links}

    def _commit(self, body, address):
        for line in map(json.loads, body.decode().splitlines()):
            value = line["value"]
            if line["key"] == "file":
                self.files[value["path"]] = base64.b64decode(value["content"])
            elif line["key"] == "lfsFile":
                content = self._blobs[value["oid"]]
                assert hashlib.sha256(content).hexdigest() == value["oid"]
                self.files[value["path"]] = content
                self.lfs.add(value["path"])
            elif line["key"] == "deletedFile":
                self.deleted.add(value["path"])
        return {"commitUrl": f"{address}/spaces/someone/lab/commit/{'0' * 40}", "commitOid": "0" * 40, "success": True}


@contextmanager
def stand_in(hub):
    """Serve a Hub on the loopback; gives its address."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def respond(self):
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            hub.tokens.add(re.sub("^Bearer ", "", self.headers.get("Authorization", "")))
            status, reply, *headers = hub.answer(self.command, self.path, body, address)
            content = reply if isinstance(reply, bytes) else json.dumps(reply).encode()
            self.send_response(status)
            for name, value in headers[0].items() if headers else ():
                self.send_header(name, value)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)

        do_HEAD = do_GET = do_POST = do_PUT = respond

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield address
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
