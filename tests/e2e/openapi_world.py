"""A server in which every operation of api/openapi.yaml is called until each of its statuses was
answered; used by openapi_test.py.

SPDX-License-Identifier: Apache-2.0
"""

import contextlib
import hashlib
import json
import sqlite3
import time
import urllib.parse
import wave

from cases import Stage, wait_until
from identity_provider import Issuer
from keys_leak_test import Reporter, matches
from mint_test import made_up_key
from openapi_people import PASSWORD, PeopleCalls, token_of
from room_tokens_test import LISTENER, PARTICIPANT, key_for_rooms, room_settings

WIDE = '"100000/min burst 100000"'
NOWHERE = {"app_id": "app_none", "environment": "live"}
STRANGE_UUID = "00000000-0000-4000-8000-000000000000"
NARROW = '"1/hour burst 1"'
LIMITS = ("api_key_free", "api_key_pro", "person", "stranger", "password", "login",
          "account_creation")


def limits(rate, *names):
    return "[limits]\n" + "".join(f"{name} = {rate}\n" for name in names or LIMITS)


def issuers(issuer):
    """Two issuers of people's tokens; where the second one's keys should be, nobody listens."""
    named = (("https://id.example", issuer.url), ("https://silent.example", "http://127.0.0.1:9/"))
    return "[people]\nallow_private_issuers = true\n" + "".join(
        f'[[people.issuers]]\nissuer = "{name}"\naudiences = ["app"]\njwks_url = "{url}"\n'
        for name, url in named)


class World(PeopleCalls, Stage):
    """`faults` are answers that the description does not allow, `seen` what was answered, `recorded`
    the operations of which it was shown that they leave an audit entry or do not happen."""

    def __init__(self):
        super().__init__()
        self.faults, self.seen, self.sessions, self.recorded = [], set(), [], set()
        self.description, self.names = None, {}
        self.issuer = Issuer()

    def __enter__(self):
        try:
            self.init()
            self.reporter = Reporter(self.data)
            self.settings = self.parts_of_settings() + issuers(self.issuer) + limits(WIDE)
            self.start()
            self.owner = self.member("owner", "owner")
        except BaseException:
            self.close()
            raise
        return self

    def close(self):
        for session in self.sessions:
            session.websocket.wire.drop()
        self.issuer.close()
        return super().close()

    def parts_of_settings(self):
        leaks = f'[leaks]\ngithub_public_keys_file = "{self.reporter.keys_file}"\n'
        return room_settings(self.data) + leaks

    def invitation(self, email, role):
        made = self.must("member", "invite", "--email", email, "--role", role, "--json")
        return json.loads(made)["code"]

    def member(self, name, role):
        """A new member of the workspace, logged in: what the log-in gave."""
        who = {"email": f"{name}@example.com", "password": PASSWORD}
        code = self.invitation(who["email"], role)
        self.http("POST", "/v1/accounts", body=who | {"invitation_code": code})
        return self.http("POST", "/v1/login", body=who).json()

    def routes(self):
        return self.must("routes", "--config", str(self.data / "settings.toml"), "--json")

    # One call.

    def call(self, operation_id, expected=None, credential="", **how):
        """Calls an operation and checks its answer; `how`: parts, query, body, headers. Returns
        what was answered. Of each operation that leaves an entry in the audit log, the first call
        that is to succeed is first made while none can be kept."""
        entry = self.operation(operation_id).get("x-audit")
        succeeds = expected is not None and expected < 300
        if entry is None or not succeeds or operation_id in self.recorded:
            return self.call_once(operation_id, expected, credential, **how)
        self.recorded.add(operation_id)
        before = self.done_entries(entry)
        with self.unwritable("audit_log"):
            self.call_once(operation_id, 503, credential, **how)
        if self.done_entries(entry) != before:
            self.faults.append(f"{operation_id} was refused and left an entry {entry}")
        # It succeeds as if it had never been tried: the refused call has changed nothing.
        answer = self.call_once(operation_id, expected, credential, **how)
        if self.done_entries(entry) == before:
            self.faults.append(f"{operation_id} left no entry {entry}")
        return answer

    @contextlib.contextmanager
    def full_workspace(self):
        """While it lasts, the workspace has all the members that it may have."""
        path = self.data / "stagedoor.db"
        with contextlib.closing(sqlite3.connect(path, timeout=30)) as store:
            store.execute(
                "WITH RECURSIVE count(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM count LIMIT 1000) "
                "INSERT INTO members SELECT ?, 'acc_ghost_' || n, 0, 0, NULL, 0 FROM count",
                (self.initialised["workspace_id"],))
            store.commit()
            try:
                yield
            finally:
                store.execute("DELETE FROM members WHERE account_id LIKE 'acc_ghost_%'")
                store.commit()

    def done_entries(self, action):
        return sum(entry["outcome"] == 0 for entry in self.audited(action))

    @contextlib.contextmanager
    def unwritable(self, table):
        """While it lasts, nothing new is kept in a table."""
        path = self.data / "stagedoor.db"
        with contextlib.closing(sqlite3.connect(path, timeout=30)) as store:
            store.executescript(f"CREATE TRIGGER refuse BEFORE INSERT ON {table} "
                                "BEGIN SELECT RAISE(ABORT, 'no'); END;")
            try:
                yield
            finally:
                store.executescript("DROP TRIGGER refuse;")

    def call_once(self, operation_id, expected, credential, **how):
        method, template = name = self.names[operation_id]
        parts = {part: urllib.parse.quote(value, safe="") for part, value in how.get("parts", {}).items()}
        path = template.format_map(parts)
        if how.get("query"):
            path += "?" + urllib.parse.urlencode(how["query"])
        headers = dict(how.get("headers", {}))
        operation = self.description.operations[name]
        if credential is not None and "security" not in operation:
            is_for_people = operation.get("x-callers") == "people"
            usual = self.owner["access_token"] if is_for_people else self.api_key
            headers["Authorization"] = f"Bearer {credential or usual}"
        reply = self.http(method, path, headers, how.get("body"))
        self.seen.add((name, reply.status))
        for fault in self.description.faults(name, reply):
            self.faults.append(f"{operation_id} ({reply.status}): {fault}")
        if reply.status == 401 and "WWW-Authenticate" not in reply.headers:
            # Rule challenge-on-401.
            self.faults.append(f"{operation_id} gave a 401 without a challenge")
        if expected is not None and reply.status != expected:
            self.faults.append(
                f"{operation_id} gave {reply.status} and not {expected}: {reply.body[:300]!r}"
            )
        is_json = reply.headers.get("Content-Type") == "application/json"
        return json.loads(reply.body) if is_json else reply.body

    # All of them.

    def call_everything(self, description):
        self.description = description
        self.names = {op["operationId"]: name for name, op in description.operations.items()}
        for operation_id in self.names:
            do = getattr(self, "do_" + operation_id, None)
            if do is None:
                self.faults.append(f"{operation_id} is never called")
            else:
                do()
        self.powerless_key = self.key(scopes=["tts:speak"])["api_key"]
        for operation_id in self.names:
            self.be_refused(operation_id)
        self.have_too_many_keys()
        self.be_over_the_limit()

    def operation(self, operation_id):
        return self.description.operations[self.names[operation_id]]

    def strange_parts(self, operation_id):
        """Path parts in the form of ids that nobody has."""
        return {parameter["name"]: "none"
                for parameter in self.operation(operation_id).get("parameters", ())
                if parameter.get("in") == "path"}

    def be_refused(self, operation_id):
        """The refusals that operations with a credential have in common."""
        operation = self.operation(operation_id)
        parts = self.strange_parts(operation_id)
        if "security" in operation:
            return
        refused = lambda status, credential="", **how: self.call_once(
            operation_id, status, credential, parts=parts, **how)
        refused(401, None)
        refused(401, made_up_key())
        callers = operation.get("x-callers")
        if callers != "API keys":
            refused(503, token_of(self.issuer, "https://silent.example"))
        if "x-permission" in operation:
            refused(403, self.powerless_key)
            outsider = token_of(self.issuer, "https://id.example")
            refused(403, outsider)
        # Those that were not shown in a way of the operation's own.
        unseen = {status for status in operation["responses"]
                  if (self.names[operation_id], int(status)) not in self.seen}
        if "400" in unseen and "requestBody" in operation:
            refused(400, body={"no_such_member": 1})
        if "403" in unseen and callers == "people":
            refused(403, self.api_key)
        if "404" in unseen and parts:
            refused(404)

    def have_too_many_keys(self):
        """An app with more keys than can be rotated at once."""
        app_id = self.second_app()
        with contextlib.closing(sqlite3.connect(self.data / "stagedoor.db", timeout=30)) as store:
            store.execute(
                "WITH RECURSIVE count(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM count LIMIT 10001)"
                " INSERT INTO api_keys (id, app_id, environment, hash, name, ends, created_at, change,"
                " number) SELECT 1000000 + n, ?, 0, randomblob(32), 'k', '', 0, 1, n FROM count",
                (app_id,))
            store.commit()
        parts, body = {"app_id": app_id}, {"environment": "live"}
        wait_until(lambda: self.http(
            "GET", f"/v1/keys?app_id={app_id}&environment=live",
            {"Authorization": "Bearer " + self.owner["access_token"]}).status == 200, "the app")
        self.call("rotate_app_keys", 409, self.owner["access_token"], parts=parts, body=body)

    def be_over_the_limit(self):
        """Every operation with a limit, by a caller who has used up all of it."""
        self.settings = self.parts_of_settings() + limits(NARROW)
        with wave.open(str(self.data / "sample.wav"), "wb") as sample:
            sample.setparams((1, 2, 16000, 0, "NONE", ""))
            sample.writeframes(bytes(3200))
        self.restart()
        self.call("get_page_sample", 200)
        self.call("list_workspaces", 200)  # The owner's one call, before one could log them out.
        for operation_id in self.names:
            if "429" in self.operation(operation_id)["responses"]:
                parts = self.strange_parts(operation_id)
                from_page = (
                    {"Origin": self.address} if operation_id == "open_session_from_page" else {}
                )
                self.call(operation_id, parts=parts, headers=from_page)
                self.call(operation_id, 429, parts=parts, headers=from_page)

    def shown_elsewhere(self):
        """What these calls do not show, with the test that does."""
        return {
            (self.names["mint_agora_room_token"], 403):
                "room_tokens_test.py::test_test_keys_are_refused_where_the_settings_say_so",
            (self.names["mint_livekit_room_token"], 501):
                "room_tokens_test.py::test_the_answer_is_501_and_names_the_settings",
            (self.names["mint_agora_room_token"], 501):
                "room_tokens_test.py::test_the_answer_is_501_and_names_the_settings",
            (self.names["log_out_everywhere"], 501):
                "people_test.py::test_501_where_the_log_in_and_the_password_are_kept_by_the_issuer",
            (self.names["change_password"], 501):
                "people_test.py::test_501_where_the_log_in_and_the_password_are_kept_by_the_issuer",
            (self.names["create_app"], 409):
                "apps_test.py::test_409_for_one_more_than_a_workspace_may_have",
            (self.names["get_readiness"], 503): 
                "shutdown_test.py::test_new_sessions_and_readiness_get_503_while_the_server_is_going",
            (self.names["open_session_from_page"], 503):
                "page_session_test.py::test_open_to_nobody_has_no_page_and_a_revoked_page_key_"
                "gives_503",
        }

    # Each operation where it succeeds, and what is refused in a way of its own.

    def do_get_health(self):
        self.call("get_health", 200)

    def do_get_readiness(self):
        self.call("get_readiness", 200)

    def do_get_metrics(self):
        self.call("get_metrics", 200)

    def do_get_problem(self):
        self.call("get_problem", 200, parts={"type": "malformed"})
        self.call("get_problem", 404, parts={"type": "none"})

    def do_mint_livekit_room_token(self):
        self.rooms_key = key_for_rooms(self)
        bearer = {"Authorization": f"Bearer {self.rooms_key}"}
        path = "/v1/room-tokens/livekit"
        wait_until(lambda: self.http("POST", path, bearer, {}).status != 401, "the key")
        self.call("mint_livekit_room_token", 200, self.rooms_key, body=PARTICIPANT)
        wide = {"identity": "a", "grants": {"room_list": True}}
        self.call("mint_livekit_room_token", 403, self.rooms_key, body=wide)
        self.call("mint_livekit_room_token", 400, self.rooms_key, body={"no_such_member": 1})
        forced = PARTICIPANT | {"identity": "test-force-mint-402"}
        self.call("mint_livekit_room_token", 402, self.rooms_key, body=forced)
        self.call("mint_livekit_room_token", 404, self.owner["access_token"],
                  body=PARTICIPANT | NOWHERE)

    def do_mint_agora_room_token(self):
        self.call("mint_agora_room_token", 200, self.rooms_key, body=LISTENER)
        self.call("mint_agora_room_token", 400, self.rooms_key, body={"no_such_member": 1})
        forced = {"channel": "lobby", "account": "test-force-mint-402", "role": "subscriber"}
        self.call("mint_agora_room_token", 402, self.rooms_key, body=forced)
        self.call("mint_agora_room_token", 403, body=LISTENER)
        self.call("mint_agora_room_token", 404, self.owner["access_token"], body=LISTENER | NOWHERE)

    def do_open_session_from_page(self):
        self.call("open_session_from_page", 200, headers={"Origin": self.address})
        self.call("open_session_from_page", 403)

    def do_get_page_sample(self):
        self.call("get_page_sample", 404)

    def do_mint_session_token(self):
        self.call("mint_session_token", 201)
        self.call("mint_session_token", 201, body={
            "end_user_id": "user-7", "avatar_id": self.avatar_id, "regions": ["us-west"],
            "allowed_origins": ["https://a.example"], "metadata": {"room": 7}, "uses_max": 1,
            "expires_in_seconds": 60, "leash": {"length_max_seconds": 60}})
        self.call("mint_session_token", 402, body={"end_user_id": "test-force-mint-402"})
        self.call("mint_session_token", 404, body={"avatar_id": STRANGE_UUID})
        self.call("mint_session_token", 402, body={"end_user_id": "test-force-mint-402"})
        persona = self.initialised["persona_id"]
        self.call("mint_session_token", 201, body={"persona_id": persona})
        self.call("mint_session_token", 400, body={"persona_id": STRANGE_UUID})

    def do_revoke_session_tokens(self):
        self.call("revoke_session_tokens", 200, body={"end_user_id": "nobody"})
        self.call("revoke_session_tokens", 404, body={"api_key_id": "key_0000000000000000"})
        self.call("revoke_session_tokens", 404, body={"minted_by": "acc_nobody"})

    def open_session(self):
        minted = self.call("mint_session_token", 201, body={"end_user_id": "user-7"})
        session = self.session(minted["session_token"])
        self.sessions.append(session)
        return session.connection_id

    def do_list_live_sessions(self):
        self.open_session()
        self.call("list_live_sessions", 200)
        self.call("list_live_sessions", 400, query={"limit": 0})

    def do_get_live_session(self):
        self.call("get_live_session", 200, parts={"id": self.open_session()})

    def do_end_live_session(self):
        self.call("end_live_session", 202, parts={"id": self.open_session()}, body={"reason": "x"})

    def do_list_sessions(self):
        self.open_session()
        self.call("list_sessions", 200)
        self.call("list_sessions", 200, query={"state": "ended"})
        self.call("list_sessions", 200, query={"page": 1, "perPage": 2})
        self.call("list_sessions", 400, query={"state": "gone"})

    def do_get_session(self):
        self.call("get_session", 200, parts={"id": self.open_session()})

    def do_read_audit(self):
        self.call("read_audit", 200)
        self.call("read_audit", 400, query={"limit": 0})
        lines = {"Accept": "application/x-ndjson"}
        self.call("read_audit", 200, headers=lines)

    def do_read_usage(self):
        self.read_usage("read_usage")

    def do_read_usage_of_keys(self):
        self.read_usage("read_usage_of_keys")

    def do_read_usage_of_end_users(self):
        self.read_usage("read_usage_of_end_users")

    def read_usage(self, operation_id):
        self.call(operation_id, 200, query={"by": "hour", "app_id": self.app_id})
        self.call(operation_id, 400, query={"by": "week"})
        self.call(operation_id, 404, query={"app_id": "app_none"})

    # Keys.

    def key(self, **wish):
        return self.call("create_key", 201, body={"name": "made"} | wish)

    def revoked(self):
        """The path parts of a key that is revoked."""
        parts = {"key_id": self.key()["id"]}
        self.call("revoke_key", 200, parts=parts)
        return parts

    def do_create_key(self):
        self.key(scopes=["tokens:mint"], networks=["127.0.0.0/8"], rate_limit="3/min burst 5",
                 expires_at=int(time.time()) + 3600)
        self.call("create_key", 404, body={"name": "made", "app_id": "app_none"})

    def do_list_keys(self):
        self.call("list_keys", 200)
        self.call("list_keys", 400, query={"limit": 0})
        self.call("list_keys", 404, query={"app_id": "app_none"})

    def do_import_keys(self):
        body = {"keys": [{"name": "moved", "sha256": hashlib.sha256(b"acme").hexdigest()}]}
        self.call("import_keys", 404, body=body | {"app_id": "app_none"})
        self.call("import_keys", 201, body=body)
        self.call("import_keys", 409, body=body)

    def do_verify_keys(self):
        self.call("verify_keys", 200, body={"key": self.api_key, "scopes": ["tokens:mint"]})
        self.call("verify_keys", 200, body={"keys": [self.api_key, "nonsense"]})

    def do_report_leaked_keys(self):
        body = matches(self.key()["api_key"], "nonsense")
        self.call("report_leaked_keys", 200, body=body, headers=self.reporter.headers(body))
        self.call("report_leaked_keys", 400, body=b"{}", headers=self.reporter.headers(b"{}"))
        self.call("report_leaked_keys", 401, body=body)

    def do_revoke_own_key(self):
        text = self.key()["api_key"]
        self.call("revoke_own_key", 403, body={"key": text})
        self.call("revoke_own_key", 200, text, body={"key": text, "reason": "x"})

    def do_get_key(self):
        self.call("get_key", 200, parts={"key_id": self.key()["id"]})

    def do_freeze_key(self):
        self.call("freeze_key", 200, parts={"key_id": self.key()["id"]}, body={"reason": "x"})
        self.call("freeze_key", 400, parts={"key_id": self.key()["id"]}, body={"why": "x"})
        self.call("freeze_key", 409, parts=self.revoked())

    def do_unfreeze_key(self):
        parts = {"key_id": self.key()["id"]}
        self.call("freeze_key", 200, parts=parts)
        self.call("unfreeze_key", 400, parts=parts, body={"why": "x"})
        self.call("unfreeze_key", 200, parts=parts)
        self.call("unfreeze_key", 409, parts=self.revoked())

    def do_revoke_key(self):
        self.call("revoke_key", 400, parts={"key_id": self.key()["id"]}, body={"why": "x"})
        self.revoked()

    def do_rotate_key(self):
        parts = {"key_id": self.key()["id"]}
        self.call("rotate_key", 400, parts=parts, body={"grace_seconds": -1})
        self.call("rotate_key", 201, parts=parts, body={"grace_seconds": 60})
        self.call("rotate_key", 409, parts=self.revoked())

    def do_get_blast_radius(self):
        made = self.key()
        self.call("create_key", 201, made["api_key"], body={"name": "child"})
        self.sessions.append(self.session(self.token(made["api_key"])))
        self.call("get_blast_radius", 200, parts={"key_id": made["id"]})

    def do_rotate_app_keys(self):
        person = self.owner["access_token"]
        live = {"environment": "live"}
        wish = {"name": "made", "app_id": self.app_id} | live
        self.call("create_key", 201, person, body=wish)
        self.call("rotate_app_keys", 201, person, parts={"app_id": self.app_id}, body=live)

    # Apps.

    def do_list_apps(self):
        self.call("list_apps", 200)
        self.call("list_apps", 400, query={"limit": 0})

    def do_create_app(self):
        self.call("create_app", 201, body={"name": "made", "rate_limit": "10/min"})

    def do_get_app(self):
        self.call("get_app", 200, parts={"app_id": self.app_id})

    def do_change_app(self):
        owner, parts = self.owner["access_token"], {"app_id": self.app_id}
        self.call("change_app", 200, owner, parts=parts, body={"name": "changed"})
        self.call("change_app", 400, owner, parts=parts, body={"no_such_member": 1})
        self.call("change_app", 404, owner, parts={"app_id": "app_none"}, body={"name": "x"})

    def one_end_user(self, app_id=None):
        """The path parts of an end user whose id has what paths must not have."""
        return {"app_id": app_id or self.app_id, "end_user_id": "anna/b@example.org?"}

    def limit_one_end_user(self):
        owner, parts = self.owner["access_token"], self.one_end_user()
        self.call("set_end_user_limit", 200, owner, parts=parts, body={"rate_limit": "9/min"})

    def do_list_end_user_limits(self):
        self.limit_one_end_user()
        self.call("list_end_user_limits", 200, parts={"app_id": self.app_id})
        self.call("list_end_user_limits", 400, parts={"app_id": self.app_id}, query={"limit": 0})

    def do_get_end_user_limit(self):
        self.call("get_end_user_limit", 200, parts=self.one_end_user())
        nobody = {"app_id": self.app_id, "end_user_id": "x" * 257}
        self.call("get_end_user_limit", 400, parts=nobody)

    def do_set_end_user_limit(self):
        self.limit_one_end_user()
        owner, body = self.owner["access_token"], {"rate_limit": "9/min burst 3"}
        self.call("set_end_user_limit", 404, owner, parts=self.one_end_user("app_none"), body=body)
        self.call("set_end_user_limit", 400, owner, parts=self.one_end_user(), body={"no_such": 1})
        full = self.second_app()
        with contextlib.closing(sqlite3.connect(self.data / "stagedoor.db", timeout=30)) as store:
            store.execute(
                "WITH RECURSIVE count(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM count LIMIT 10000)"
                " INSERT INTO end_user_limits SELECT ?, 'user ' || n, '1/hour', 0, 100 + n FROM"
                " count", (full,))
            store.commit()
        wait_until(lambda: self.http(
            "GET", f"/v1/apps/{full}", {"Authorization": f"Bearer {owner}"}).status == 200, "the app")
        self.call("set_end_user_limit", 409, owner, parts=self.one_end_user(full), body=body)

    def do_remove_end_user_limit(self):
        self.limit_one_end_user()
        owner, parts = self.owner["access_token"], self.one_end_user()
        self.call("remove_end_user_limit", 204, owner, parts=parts)
        self.call("remove_end_user_limit", 404, owner, parts=parts)
        nobody = {"app_id": self.app_id, "end_user_id": "x" * 257}
        self.call("remove_end_user_limit", 400, owner, parts=nobody)
