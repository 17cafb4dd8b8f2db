"""Every call of the three dialects gives each status that its file in api/ lists, and a refusal is in
the dialect's own shape.

SPDX-License-Identifier: Apache-2.0
"""

import contextlib
import dataclasses
import functools
import json
import re
import sqlite3
import time
import unittest

import openapi
from cases import main, wait_until
from mint_test import made_up_key
from openapi_people import token_of
from openapi_world import NARROW, STRANGE_UUID, World, issuers, limits
from raw_websocket import Refusal

SOCKET = "GET /v2/driveningress/websocket"
FORCED = "7e570000-0000-4000-8000-000000000{}"  # docs/guide/test-mode.md
VOICE = "6bfbe25a-979d-40f3-a92b-5394170af54b"  # as the vendor's documents print it
# Two vendors have them; whoever shows no API key is answered in the other dialect.
SHARED = "GET /v1/avatars", "GET /v1/avatars/{id}"
LIMIT_FIELDS = ("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset", "RateLimit",
                "RateLimit-Policy")


def described():
    """The statuses of each call of each dialect, as the files in api/ list them."""
    found = {}
    for name in ("spatius", "anam", "avatarium"):
        text = (openapi.ROOT / "api" / f"{name}.md").read_text().split("\n## Statuses\n")[1]
        for calls, statuses in re.findall(r"^\| (`.+`) \| ([\d ]+) \|$", text, re.M):
            for call in re.findall(r"`([^`]+)`", calls):
                # Two dialects have some calls in common.
                found.setdefault(call, set()).update(map(int, statuses.split()))
    return found


@dataclasses.dataclass
class Call:
    """`callers`: keys, people, both, anybody, or nobody where no credential may come; `takes` says how it succeeds, `also` how it is
    refused in a way of its own: (status, what is asked otherwise). `audit` is the entry that it
    leaves."""

    name: str
    callers: str = "both"
    succeeds: int = 200
    takes: dict = dataclasses.field(default_factory=dict)
    also: tuple = ()
    needs: bool = True  # a permission
    audit: str = ""
    dialect: str = ""  # where the path does not tell it

    @property
    def method(self):
        return self.name.split()[0]

    @property
    def path(self):
        return self.name.split()[1]

    @property
    def door(self):
        if self.dialect:
            return self.dialect
        if self.path.startswith(("/v1/console/", "/v2/")):
            return "spatius"
        anams = ("/v1/auth/", "/v1/personas", "/v1/engine/", "/v1/webrtc/", "/v1/metrics/",
                 "/v1/sessions/", "/v1/avatars", "/v1/characters/", "/v1/voices", "/v1/llms",
                 "/v1/tools", "/v1/knowledge/", "/v1/share-links")
        return "anam" if self.path.startswith(anams) else "avatarium"


def unlike(door, reply):
    """What is wrong with the shape of a refusal; empty: nothing."""
    if reply.headers["Content-Type"] != "application/json":
        return f"Content-Type {reply.headers['Content-Type']}"
    body = reply.json()
    if door == "spatius":
        (error,) = body["errors"]
        good = error["status"] == reply.status and {"id", "code", "title", "detail"} <= set(error)
    elif door == "anam":
        good = {"error", "message"} <= set(body) <= {"error", "message", "details", "summary"}
    else:
        good = set(body) == {"error", "meta"} and {"code", "message"} <= set(body["error"])
        good = good and body["meta"]["requestId"] == "req_" + reply.headers["X-Request-Id"]
    return "" if good else f"the body {body}"


def text_form(filename):
    """A document as an upload's form."""
    body = (f'--x\r\nContent-Disposition: form-data; name="file"; filename="{filename}"\r\n\r\n'
            "Dogs may come in.\r\n--x--\r\n")
    return {"body": body, "headers": {"Content-Type": "multipart/form-data; boundary=x"}}


def soon():
    return int(time.time()) + 600


class Dialects(World):
    def __init__(self):
        super().__init__()
        self.shown = set()

    def calls(self):
        """Every call of every dialect. A path part {id} that `takes` does not name is nobody's."""
        mint = {"body": {"expireAt": soon()}}
        stranger = {"parts": {"id": STRANGE_UUID}}
        for part in ("", "/camera", "/idle"):
            yield Call("GET /v2/character/{id}" + part, "anybody",
                       takes={"parts": {"id": self.avatar_id}, "query": f"?appId={self.app_id}"},
                       also=((404, stranger), (400, {"query": ""})))
            yield Call("OPTIONS /v2/character/{id}" + part, "anybody", 204)
        yield Call("POST /v1/console/session-tokens", "keys", takes=mint, also=(
            (400, {"body": {}}), (415, {"body": b"expireAt=1"}),
            (403, {"body": mint["body"] | {"appId": "app_none"}}),
            (404, {"body": mint["body"] | {"avatarId": STRANGE_UUID}}),
            (402, {"body": mint["body"] | {"avatarId": FORCED.format(402)}}),
            (503, {"body": mint["body"] | {"avatarId": FORCED.format(503)}})))
        yield from self.calls_of_anam()
        yield from self.calls_of_avatarium()

    def calls_of_anam(self):
        inline = {"personaConfig": {"avatarId": self.avatar_id, "systemPrompt": "Hello."}}
        forced = {"personaConfig": {"avatarId": FORCED.format(402)}}
        yield Call("OPTIONS /v1/auth/session-token", "anybody", 204)
        yield Call("POST /v1/auth/session-token", "keys", takes={"body": inline},
                   also=((400, {"body": {}}), (429, {"body": forced})))
        yield Call("POST /v1/engine/session", "keys", takes={"body": inline},
                   also=((400, {"body": {}}), (429, {"body": forced})))
        talk, words = "/v1/webrtc/engines/{engine_key}/talk", {"body": {"content": "Hello."}}
        yield Call("POST " + talk, "anybody", 404, words, ((400, {"body": {}}),))
        yield Call("GET /v1/webrtc/engines/{engine_key}/ws", "anybody", 400)
        yield Call("POST /v1/metrics/client", "anybody", takes={"body": {"name": "client_error"}},
                   also=((400, {"body": b"x"}),))
        for path in ("/v1/engine/session", talk, "/v1/metrics/client"):
            yield Call("OPTIONS " + path, "anybody", 204)
        yield Call("GET /v1/personas", also=((400, {"query": "?perPage=0"}),))
        yield Call("POST /v1/personas", "both", 201, {"body": {"name": "Ada"}},
                   ((400, {"body": {}}),), audit="persona.create")
        own, nothing = {"parts": {"id": self.persona}}, (404, {"parts": {"id": STRANGE_UUID}})
        nowhere = (400, {"credential": self.owner["access_token"], "query": "?environment=x"})
        yield Call("GET /v1/personas/{id}", takes=own, also=(nothing, nowhere))
        yield Call("PUT /v1/personas/{id}", takes=own | {"body": {"name": "Bo"}},
                   also=(nothing, (400, {"body": {"name": 7}})), audit="persona.change")
        yield Call("DELETE /v1/personas/{id}", takes=own, also=(nothing, nowhere),
                   audit="persona.remove")
        yield from self.calls_of_sessions()

    def calls_of_sessions(self):
        """What was said in one is session_report_test.py's."""
        live, over = ({"parts": {"id": one}} for one in self.faces())
        nothing = (404, {"parts": {"id": STRANGE_UUID}})
        person = {"credential": self.owner["access_token"]}
        yield Call("GET /v1/sessions/concurrency", also=(
            (400, person), (404, person | {"query": "?appId=app_none"}),
            (403, {"query": "?appId=app_none"}), (200, person | {"query": f"?appId={self.app_id}"}),
            (200, person | {"query": f"?appId={self.app_id}&environment=test"}),
            (400, {"query": "?environment=all"}), (403, {"query": "?environment=live"})))
        yield Call("GET /v1/sessions/analytics", also=((400, {"query": "?from=x"}),))
        yield Call("GET /v1/sessions/{id}/transcript", takes=over,
                   also=(nothing, (404, live), (200, person)))
        yield Call("GET /v1/sessions/{id}/recording", "both", 404, over)
        yield Call("GET /v1/sessions/{id}/analytics", takes=over,
                   also=(nothing, (400, {"query": "?includeMessages=x"})))
        yield Call("DELETE /v1/sessions/{id}", takes=over, also=(nothing, (409, live)),
                   audit="session.remove")
        yield Call("POST /v1/sessions/{id}/stop", takes=live, also=(nothing,),
                   audit="live_session.end")

        yield from self.calls_on_avatars()
        yield from self.calls_on_voices()
        model = {"displayName": "Ours", "llmFormat": "openai", "modelName": "m", "secret": "sk",
                 "urls": [{"url": "https://llm.example/v1"}]}
        tool = {"name": "show", "description": "Shows.", "type": "CLIENT", "config": {}}
        yield from self.calls_on_items("/v1/llms", "language_model", self.model, model)
        yield from self.calls_on_items("/v1/tools", "tool", self.tool, tool)
        yield from self.calls_on_share_links()
        yield from self.calls_on_documents()
        yield from self.calls_on_items("/v1/knowledge/groups", "knowledge_group", self.group,
                                       {"name": "Texts"}, fault="?environment=x")

    def calls_on_share_links(self):
        nothing = (404, {"parts": {"id": STRANGE_UUID}})
        nowhere = (400, {"credential": self.owner["access_token"], "query": "?environment=x"})
        all, wish = "/v1/share-links", {"body": {"personaId": self.linked}}
        yield Call("GET " + all, also=((400, {"query": "?perPage=0"}),))
        yield Call("POST " + all, "both", 201, wish, (
            (400, {"body": {}}), (404, {"body": {"personaId": STRANGE_UUID}})),
            audit="share_link.create")
        own = {"parts": {"id": self.link["id"]}}
        yield Call("GET /v1/share-links/{id}", takes=own, also=(nothing, nowhere))
        yield Call("PUT /v1/share-links/{id}", takes=own | {"body": {"usageLimit": None}},
                   also=(nothing, (400, {"body": {"usageLimit": 0}})), audit="share_link.change")
        yield Call("POST /v1/auth/share-link", "anybody",
                   takes={"body": {"shareToken": self.link["token"]}},
                   also=((400, {"body": {}}), (404, {"body": {"shareToken": "sh_none"}})),
                   audit="share_link.use")
        yield Call("OPTIONS /v1/auth/share-link", "anybody", 204)
        yield Call("DELETE /v1/share-links/{id}", takes=own, also=(nothing, nowhere),
                   audit="share_link.remove")

    def calls_on_documents(self):
        group = {"parts": {"id": self.group}}
        nothing = (404, {"parts": {"id": STRANGE_UUID}})
        nowhere = (400, {"credential": self.owner["access_token"], "query": "?environment=x"})
        documents = "/v1/knowledge/groups/{id}/documents"
        yield Call("GET " + documents, takes=group, also=(nothing, nowhere))
        yield Call("POST " + documents, "both", 201, group | text_form("a.txt"),
                   (nothing, (400, {"body": b"x"}), (501, text_form("a.pdf"))),
                   audit="document.create")
        yield Call("POST /v1/knowledge/groups/{id}/search", takes=group | {"body": {"query": "x"}},
                   also=(nothing, (400, {"body": {}})))
        one, own = "/v1/knowledge/documents/{id}", {"parts": {"id": self.document}}
        yield Call("GET " + one, takes=own, also=(nothing, nowhere))
        yield Call("GET " + one + "/download", takes=own, also=(nothing, nowhere))
        yield Call("PUT " + one, takes=own | {"body": {"filename": "b.txt"}}, also=(
            nothing, (400, {"body": {}}), (501, {"body": {"filename": "b.pdf"}})),
            audit="document.change")
        yield Call("DELETE " + one, "both", 204, own, (nothing, nowhere), audit="document.remove")
        for path in (documents + "/presigned-upload", one + "/confirm-upload"):
            yield Call("POST " + path, "both", 501, {"body": {}})

    def calls_on_voices(self):
        cara, nothing = {"parts": {"id": VOICE}}, (404, {"parts": {"id": STRANGE_UUID}})
        yield Call("GET /v1/voices", also=((400, {"query": "?perPage=0"}),))
        yield Call("GET /v1/voices/{id}", takes=cara, also=(nothing,))
        for path in ("/v1/voices", "/v1/voices/presigned-upload"):
            yield Call("POST " + path, "both", 501, {"body": {"name": "Me"}})
        yield Call("PUT /v1/voices/{id}", "both", 403, cara | {"body": {}}, (nothing,))
        yield Call("DELETE /v1/voices/{id}", "both", 403, cara, (nothing,))

    def calls_on_items(self, path, noun, own_id, body, fault="?perPage=0"):
        own, nothing = {"parts": {"id": own_id}}, (404, {"parts": {"id": STRANGE_UUID}})
        nowhere = (400, {"credential": self.owner["access_token"], "query": "?environment=x"})
        yield Call("GET " + path, also=((400, nowhere[1] | {"query": fault}),))
        yield Call("POST " + path, "both", 201, {"body": body}, ((400, {"body": {}}),),
                   audit=noun + ".create")
        yield Call(f"GET {path}/{{id}}", takes=own, also=(nothing, nowhere))
        yield Call(f"PUT {path}/{{id}}", takes=own | {"body": {}},
                   also=(nothing, (400, {"body": {"unknown": 1}})), audit=noun + ".change")
        yield Call(f"DELETE {path}/{{id}}", "both", 204, own, (nothing, nowhere),
                   audit=noun + ".remove")

    def calls_on_avatars(self):
        owner = {"credential": self.owner["access_token"]}
        named, nothing = {"body": {"displayName": "Guide"}}, {"parts": {"id": STRANGE_UUID}}
        yield Call("GET /v1/avatars", "keys", also=((400, {"query": "?renderStyle=x"}),))
        photograph = {"body": {"displayName": "Guide", "imageUrl": "https://a.example/b.jpg"}}
        yield Call("POST /v1/avatars", "both", 201, owner | named,
                   ((400, {"body": {}}), (501, photograph)), audit="avatar.create")
        own = {"parts": {"id": self.avatar}}
        yield Call("GET /v1/avatars/{id}", "keys", takes=own, also=((404, nothing),))
        yield Call("PUT /v1/avatars/{id}", takes=owner | own | named,
                   also=((404, nothing), (400, {"body": {}})), audit="avatar.change")
        yield Call("DELETE /v1/avatars/{id}", takes=owner | own,
                   also=((404, nothing), (400, {"query": "?hard=x"})), audit="avatar.remove")
        yield Call("GET /v1/characters/{id}/picture.png", "anybody",
                   takes={"parts": {"id": "ada"}}, also=((404, {"parts": {"id": "none"}}),))

    def calls_of_avatarium(self):
        for path in ("/health", "/v1/health"):
            yield Call("GET " + path, "anybody")
        shown = ("GET /v1/avatars", {}), ("GET /v1/avatars/{id}", {"id": "aria-001"})
        for name, parts in shown:
            yield Call(name, "nobody", takes={"parts": parts}, dialect="avatarium",
                       also=((404, {"parts": {"id": "none"}}),) if parts else ())
        yield Call("GET /v1/avatars/{id}/model", "anybody", takes={"parts": {"id": "aria-001"}},
                   also=((404, {"parts": {"id": "none"}}),), dialect="avatarium")
        yield Call("GET /v1/tts/voices", "anybody", also=((400, {"query": "?provider=none"}),))
        no_app = (404, {"query": "?appId=app_none&environment=test",
                        "credential": self.owner["access_token"]})
        own, nothing = {"parts": {"id": self.conversation}}, (404, {"parts": {"id": STRANGE_UUID}})
        nowhere = (400, {"query": "?environment=x"})
        yield Call("POST /v1/conversations", takes={"body": {}}, audit="conversation.begin", also=(
            (400, {"body": {"avatarId": 7}}), (501, {"body": {"byokAI": {"provider": "groq", "apiKey": "y"}}}), no_app,
            (402, {"body": {"avatarId": "7e570000-0000-4000-8000-000000000402"}})))
        yield Call("GET /v1/conversations", also=((400, {"query": "?limit=0"}), no_app))
        yield Call("GET /v1/conversations/{id}", takes=own, also=(nothing, nowhere))
        said = {"body": {"content": "hello"}}
        path = "POST /v1/conversations/{id}/messages"
        yield Call(path, "both", 501, own | said, (nothing, (400, {"body": {}})))
        yield Call("POST /v1/conversations/{id}/end", takes=own, also=(nothing, nowhere),
                   audit="conversation.end")
        yield Call(path, "both", 409, own | said)
        yield Call("DELETE /v1/conversations/{id}", takes=own, also=(nothing, nowhere),
                   audit="conversation.remove")
        spoken = {"/v1/tts": {"text": "hello"}, "/v1/tts/preview": {"voice": "x"}}
        for path, body in spoken.items():
            yield Call("POST " + path, "both", 501, {"body": body}, ((400, {"body": {"voice": 7}}),))
        avatar = {"slug": "ada", "name": "Ada", "avatarModelUrl": "https://example.com/a.glb"}
        yield Call("GET /v1/consumer-avatars", "people", needs=False)
        yield Call("POST /v1/consumer-avatars", "people", takes={"body": avatar}, needs=False,
                   also=((400, {"body": {}}),), audit="consumer_avatar.create")
        yield Call("POST /v1/consumer-avatars", "people", 409, {"body": avatar}, needs=False)

    # One call.

    def ask(self, call, status, credential="", **otherwise):
        """Asks for a status, and keeps what is wrong with the answer. `credential`: None for none;
        by default one that is good."""
        how = call.takes | otherwise
        if not credential and credential is not None and call.callers != "nobody":
            is_person = call.callers == "people"
            credential = how.get("credential") or (self.outsider if is_person else self.api_key)
        headers = dict(how.get("headers", {}))
        if credential and call.door == "spatius":
            headers["X-Api-Key"] = credential
        elif credential:
            headers["Authorization"] = f"Bearer {credential}"
        path = call.path.replace("{id}", how.get("parts", {}).get("id", STRANGE_UUID))
        reply = self.http(call.method, path + how.get("query", ""), headers, how.get("body"))
        self.shown.add((call.name, reply.status))
        if status is not None:
            self.judge(call, status, reply)
        return reply

    def judge(self, call, status, reply):
        said = ""
        if reply.status != status:
            said = f"and not {status}: {reply.body[:200]!r}"
        elif status >= 400:
            said = unlike(call.door, reply)
        # What is used up until the month ends is worth no second try.
        may_try_again = status == 429 and b"Spend cap reached" not in reply.body
        if may_try_again and not reply.headers.get("Retry-After", "").isdigit():
            said += " without Retry-After"
        if reply.status == 401:
            # Rule challenge-on-401.
            scheme = "ApiKey" if call.door == "spatius" else "Bearer"
            challenge = reply.headers.get("WWW-Authenticate", "none")
            if not challenge.startswith(scheme):
                said += f" with the challenge {challenge}"
        if call.callers not in ("anybody", "nobody") and status != 503:
            said += "".join(f" without {name}" for name in LIMIT_FIELDS if name not in reply.headers)
        if said:
            self.faults.append(f"{call.name} ({reply.status}) {said}")

    # All of them.

    def show_everything(self):
        self.make()
        for call in self.calls():
            if call.callers not in ("anybody", "nobody"):
                self.refuse(call)
            if call.audit:
                self.refuse_unrecorded(call)
            for status, otherwise in call.also:
                self.ask(call, status, **otherwise)
            before = self.done_entries(call.audit)
            self.ask(call, call.succeeds)
            if call.audit and self.done_entries(call.audit) == before:
                self.faults.append(f"{call.name} left no entry {call.audit}")
        self.show_tokens_at_the_engine()
        self.fill()
        self.knock_in_every_way()
        self.be_over_every_limit()

    def show_tokens_at_the_engine(self):
        """A session token there is limited by itself, and no key's limit is told."""
        call = Call("POST /v1/engine/session", "anybody", takes={"credential": self.minted})
        for status, otherwise in ((400, {"credential": self.orphan}), (400, {"body": b"x"}),
                                  (401, {"credential": "x.y.z"}), (200, {})):
            self.ask(call, status, **otherwise)

    def make(self):
        """What the calls are about."""
        bearer = {"Authorization": f"Bearer {self.api_key}"}
        made = lambda path, body: self.http("POST", path, bearer, body).json()
        self.powerless_key = made("/v1/keys", {"name": "none", "scopes": ["usage:read"]})["api_key"]
        self.persona = made("/v1/personas", {"name": "Ada"})["id"]
        self.linked = made("/v1/personas", {"name": "Ada"})["id"]
        self.link = made("/v1/share-links", {"personaId": self.linked})
        self.conversation = made("/v1/conversations", {})["data"]["id"]
        self.avatar = self.second_avatar()
        owner = {"Authorization": f"Bearer {self.owner['access_token']}"}
        gone = self.http("POST", "/v1/avatars", owner, {"displayName": "Gone"}).json()["id"]
        self.minted, self.orphan = (made("/v1/auth/session-token", {"personaConfig": {
            "avatarId": avatar, "systemPrompt": "Hello."}})["sessionToken"]
            for avatar in (self.avatar_id, gone))
        assert self.http("DELETE", "/v1/avatars/" + gone, owner).status == 200
        self.model = made("/v1/llms", {
            "displayName": "Ours", "llmFormat": "openai", "modelName": "m", "secret": "sk",
            "urls": [{"url": "https://llm.example/v1"}]})["id"]
        self.group = made("/v1/knowledge/groups", {"name": "Texts"})["id"]
        form = text_form("kept.txt")
        self.document = self.http(
            "POST", f"/v1/knowledge/groups/{self.group}/documents", bearer | form["headers"],
            form["body"]).json()["id"]
        self.tool = made("/v1/tools", {"name": "show", "description": "Shows.", "type": "CLIENT",
                                       "config": {}})["id"]
        self.outsider = token_of(self.issuer, "https://id.example")

    @functools.cache
    def faces(self):
        """The id of a live face, which lives for 30 s without a client, and that of one that is
        over."""
        bearer = {"Authorization": f"Bearer {self.api_key}"}
        body = {"personaConfig": {"avatarId": self.avatar_id, "systemPrompt": "Hello."}}
        ids = []
        for _ in range(2):
            reply = self.http("POST", "/v1/engine/session", bearer, body)
            ids.append(reply.json()["sessionId"])
        self.http("POST", f"/v1/live-sessions/{ids[1]}/end", bearer, {})
        path = f"/v1/sessions/{ids[1]}/transcript"
        wait_until(lambda: self.http("GET", path, bearer).status == 200, "what is left of it")
        return ids

    def refuse(self, call):
        self.ask(call, 401, made_up_key())
        if call.name in SHARED:
            return self.ask(call, 403, self.powerless_key)
        self.ask(call, 401, None)
        if call.callers != "keys":
            self.ask(call, 503, token_of(self.issuer, "https://silent.example"))
        if call.callers == "people":
            self.ask(call, 401, self.api_key)
        if call.needs:
            self.ask(call, 403, self.powerless_key)
            self.ask(call, 401 if call.callers == "keys" else 403, self.outsider)

    def refuse_unrecorded(self, call):
        before = self.done_entries(call.audit)
        with self.unwritable("audit_log"):
            self.ask(call, 503)
        if self.done_entries(call.audit) != before:
            self.faults.append(f"{call.name} was refused and left an entry {call.audit}")

    def fill(self):
        """What a full or an unwritable store refuses."""
        calls = {call.name: call for call in self.calls()}
        fresh = {"personaConfig": {"avatarId": self.avatar_id, "systemPrompt": "Unheard of."}}
        with self.unwritable("persona_snapshots"):
            self.ask(calls["POST /v1/auth/session-token"], 503, body=fresh)
            self.ask(calls["POST /v1/engine/session"], 503, body=fresh)
        with contextlib.closing(sqlite3.connect(self.data / "stagedoor.db", timeout=30)) as store:
            columns = [row[1] for row in store.execute("PRAGMA table_info(personas)")]
            put = {"id": "printf('%s-%d', id, n)", "number": "1000000 + n"}
            values = ", ".join(put.get(name, name) for name in columns)
            self.http("POST", "/v1/personas", {"Authorization": f"Bearer {self.api_key}"},
                      {"name": "Ada"})
            store.execute(
                "WITH RECURSIVE count(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM count LIMIT 10000) "
                f"INSERT INTO personas SELECT {values} FROM (SELECT * FROM personas LIMIT 1), count")
            store.commit()
            store.execute(
                "WITH RECURSIVE count(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM count LIMIT 1000) "
                "INSERT INTO avatars (id, workspace_id, name, version, created_at, number) SELECT "
                "'a' || n, ?, 'x', '1', 0, 1000000 + n FROM count", [self.initialised["workspace_id"]])
            store.commit()
            # A full group of documents, too: the one of these calls has gone.
            self.full = self.http("POST", "/v1/knowledge/groups",
                                  {"Authorization": f"Bearer {self.api_key}"},
                                  {"name": "Full"}).json()["id"]
            store.execute(
                "WITH RECURSIVE count(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM count LIMIT 1000) "
                "INSERT INTO documents SELECT 'd' || n, ?, ?, 1, 'a.txt', 'txt', 'x', 1, 0, 0, n "
                "FROM count", [self.full, self.initialised["workspace_id"]])
            columns = [row[1] for row in store.execute("PRAGMA table_info(share_links)")]
            put = {"id": "'l' || n", "token_hash": "CAST(n AS BLOB)", "number": "1000000 + n"}
            store.execute(
                "WITH RECURSIVE count(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM count LIMIT 1000) "
                f"INSERT INTO share_links SELECT "
                f"{', '.join(put.get(name, name) for name in columns)} "
                "FROM (SELECT * FROM share_links LIMIT 1), count")
            for kind in range(3):
                store.execute(
                    "WITH RECURSIVE count(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM count LIMIT "
                    "1000) INSERT INTO catalog_items SELECT ? || '-' || n, ?, ?, 1, 'x', '{}', "
                    "NULL, 0, 0, NULL, 1000000 + n FROM count", [kind, kind, self.initialised["workspace_id"]])
            store.commit()
        for path in ("/v1/personas", "/v1/avatars", "/v1/llms", "/v1/tools",
                     "/v1/knowledge/groups", "/v1/share-links"):
            self.ask(calls["POST " + path], 409)
        self.ask(calls["POST /v1/knowledge/groups/{id}/documents"], 409,
                 parts={"id": self.full})

    def knock_in_every_way(self):
        token, avatar = self.token, self.second_avatar()
        wait_until(lambda: self.mint(avatarId=avatar).status == 200, "the avatar to be known")
        ways = {400: ("nonsense", {}), 404: (token(), {"app": "app_none"}),
                403: (token(avatarId=avatar), {})}
        forced = {401: 101, 402: 103, 429: 104, 503: 105}
        for status, number in forced.items():
            ways[status] = token(), {"avatar": FORCED.format(number)}
        for status, (credential, how) in ways.items():
            answer = self.knock(credential, **how)
            self.shown.add((SOCKET, answer.status))
            if answer.status != status or "message" not in json.loads(answer.body):
                self.faults.append(f"{SOCKET} gave {answer.status} and not {status}")
        self.shown.add((SOCKET, self.http("GET", SOCKET.split()[1]).status))
        answer = self.knock(token())
        if not isinstance(answer, Refusal):
            self.shown.add((SOCKET, 101))
            answer.wire.drop()

    def be_over_every_limit(self):
        self.settings = self.parts_of_settings() + issuers(self.issuer) + limits(NARROW)
        self.restart()
        for call in self.calls():
            if 429 in described()[call.name] and (call.name, 429) not in self.shown_elsewhere():
                self.ask(call, None)
                self.ask(call, 429)

    def shown_elsewhere(self):
        """What these calls do not show, with the test that does."""
        going = "shutdown_test.py::test_new_sessions_and_readiness_get_503_while_the_server_is_going"
        live = "engine_session_test.py::test_words_of_the_apps_own_are_spoken"
        none = "engine_session_test.py::test_a_socket_without_a_live_session_is_refused"
        guessed = ("limits_test.py::"
                   "test_who_guesses_engine_paths_has_ten_at_once_and_a_good_one_is_let_in_all_the_same")
        foreign = "engine_session_test.py::test_a_page_of_another_origin_speaks_for_no_session"
        engine = "/v1/webrtc/engines/{engine_key}"
        return {(f"GET {path}", 503): going for path in ("/health", "/v1/health")} | {
            (f"POST {engine}/talk", 200): live, (f"GET {engine}/ws", 429): guessed, (f"GET {engine}/ws", 101): live,
            (f"GET {engine}/ws", 404): none, (f"GET {engine}/ws", 403): foreign,
            (f"POST {engine}/talk", 403): foreign}


class Statuses(unittest.TestCase):
    maxDiff = None

    # Rule audit-fail-closed.
    # Rule rate-limit-told.
    def test_every_status_of_every_call_is_answered_in_the_dialects_own_shape(self):
        with Dialects() as world:
            world.show_everything()
            world.halt()
            served = {f"{route['method']} {route['path']}" for route in json.loads(world.routes())}
        self.assertEqual(world.faults, [])
        told = {(call, status) for call, statuses in described().items() for status in statuses}
        self.assertEqual(world.shown - told, set(), "these are not described")
        self.assertEqual(told - world.shown - set(world.shown_elsewhere()), set(), "none got these")
        ours = {" ".join(name) for name in openapi.Description().operations}
        ours |= {"GET " + path for path in openapi.Description().root["x-page-files"]}
        self.assertEqual(served - ours, set(described()))


if __name__ == "__main__":
    main()
