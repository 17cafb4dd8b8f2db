"""A server in which every operation of api/openapi.yaml is called until each of its statuses was
answered; used by openapi_test.py.

SPDX-License-Identifier: Apache-2.0
"""

import json
import time
import urllib.parse
import wave

from cases import Stage
from identity_provider import Issuer
from room_tokens_test import LISTENER, PARTICIPANT, room_settings

WIDE = '"100000/min burst 100000"'
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


def token_of(issuer, name):
    """A token of somebody who belongs to no workspace."""
    claims = {"iss": name, "aud": "app", "sub": "somebody", "exp": int(time.time()) + 600}
    return issuer.keys[0].token(claims)


class World(Stage):
    """`faults` are answers that the description does not allow, `seen` what was answered."""

    def __init__(self):
        super().__init__()
        self.faults, self.seen, self.sessions = [], set(), []
        self.description, self.names = None, {}
        self.issuer = Issuer()

    def __enter__(self):
        try:
            self.init()
            self.settings = room_settings(self.data) + issuers(self.issuer) + limits(WIDE)
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def close(self):
        for session in self.sessions:
            session.websocket.wire.drop()
        self.issuer.close()
        return super().close()

    def routes(self):
        return self.must("routes", "--config", str(self.data / "settings.toml"), "--json")

    # One call.

    def call(self, operation_id, expected=None, credential="", **how):
        """Calls an operation and checks its answer; `how`: parts, query, body, headers. Returns
        what was answered."""
        method, template = name = self.names[operation_id]
        parts = {part: urllib.parse.quote(value) for part, value in how.get("parts", {}).items()}
        path = template.format_map(parts)
        if how.get("query"):
            path += "?" + urllib.parse.urlencode(how["query"])
        headers = dict(how.get("headers", {}))
        if credential is not None and "security" not in self.description.operations[name]:
            headers["Authorization"] = f"Bearer {credential or self.api_key}"
        reply = self.http(method, path, headers, how.get("body"))
        self.seen.add((name, reply.status))
        for fault in self.description.faults(name, reply):
            self.faults.append(f"{operation_id} ({reply.status}): {fault}")
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
        for operation_id in self.names:
            self.be_refused(operation_id)
        self.be_over_the_limit()

    def operation(self, operation_id):
        return self.description.operations[self.names[operation_id]]

    def strange_parts(self, operation_id):
        """Path parts in the form of ids that nobody has."""
        return {parameter["name"]: "none"
                for parameter in self.operation(operation_id).get("parameters", ())
                if parameter.get("in") == "path"}

    def be_refused(self, operation_id):
        """The refusals that every operation with a credential has in common."""
        operation = self.operation(operation_id)
        statuses = set(operation["responses"])
        parts = self.strange_parts(operation_id)
        if "security" in operation:
            return
        self.call(operation_id, 401, None, parts=parts)
        if "403" in statuses and operation.get("x-callers") != "API keys":
            somebody = token_of(self.issuer, "https://id.example")
            self.call(operation_id, 403, somebody, parts=parts)
        if "400" in statuses and "requestBody" in operation:
            self.call(operation_id, 400, parts=parts, body={"no_such_member": 1})
        if "404" in statuses and parts:
            self.call(operation_id, 404, parts=parts)
        if "503" in statuses:
            unknown = token_of(self.issuer, "https://silent.example")
            self.call(operation_id, 503, unknown, parts=parts)

    def be_over_the_limit(self):
        """Every operation with a limit, by a caller who has used up all of it."""
        self.settings = room_settings(self.data) + limits(NARROW)
        with wave.open(str(self.data / "sample.wav"), "wb") as sample:
            sample.setparams((1, 2, 16000, 0, "NONE", ""))
            sample.writeframes(bytes(3200))
        self.restart()
        self.call("get_page_sample", 200)
        for operation_id in self.names:
            operation = self.operation(operation_id)
            if "429" not in operation["responses"]:
                continue
            parts = self.strange_parts(operation_id)
            self.call(operation_id, None, parts=parts)
            self.call(operation_id, 429, parts=parts)

    def shown_elsewhere(self):
        """What these calls do not show, with the test that does."""
        return {
            (self.names["mint_agora_room_token"], 403):
                "room_tokens_test.py::test_test_keys_are_refused_where_the_settings_say_so",
            (self.names["mint_livekit_room_token"], 501):
                "room_tokens_test.py::test_the_answer_is_501_and_names_the_settings",
            (self.names["mint_agora_room_token"], 501):
                "room_tokens_test.py::test_the_answer_is_501_and_names_the_settings",
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
        self.call("mint_livekit_room_token", 200, body=PARTICIPANT)
        wide = {"identity": "a", "grants": {"room_list": True}}
        self.call("mint_livekit_room_token", 403, body=wide)

    def do_mint_agora_room_token(self):
        self.call("mint_agora_room_token", 200, body=LISTENER)

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
        self.call("mint_session_token", 404, body={"avatar_id": STRANGE_UUID})

    def do_revoke_session_tokens(self):
        self.call("revoke_session_tokens", 200, body={"end_user_id": "nobody"})
        self.call("revoke_session_tokens", 404, body={"api_key_id": "key_0000000000000000"})

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

    def do_read_audit(self):
        self.call("read_audit", 200)
        self.call("read_audit", 400, query={"limit": 0})
        lines = {"Accept": "application/x-ndjson"}
        self.call("read_audit", 200, headers=lines)

    def do_read_usage(self):
        self.call("read_usage", 200)
        self.call("read_usage", 404, query={"app_id": "app_nobody"})
        self.call("read_usage", 400, query={"limit": 0})

    def do_read_usage_of_keys(self):
        self.call("read_usage_of_keys", 200)
        self.call("read_usage_of_keys", 404, query={"app_id": "app_nobody"})
        self.call("read_usage_of_keys", 400, query={"by": "year"})

    def do_read_usage_of_end_users(self):
        self.call("read_usage_of_end_users", 200)
        self.call("read_usage_of_end_users", 404, query={"app_id": "app_nobody"})
        self.call("read_usage_of_end_users", 400, query={"limit": 0})
