"""A client that asks for its live face again, since an answer was slow or lost: it gets the face
that it has, whatever is full or used up meanwhile, and nobody else gets it.

SPDX-License-Identifier: Apache-2.0
"""

import threading

from anam_mint_test import PRINTED
from cases import Stage, bearer, main, wait_until
from engine_session_test import CLIENT, EngineSessionCase

ASKING_AT_ONCE = 6


class RetryCase(EngineSessionCase):
    settings = ""

    def setUp(self):
        self.server = Stage(self.settings).__enter__()
        self.addCleanup(self.server.close)
        self.engines = {}

    def together(self, credential, **how):
        """The answers to so many starts at once."""
        replies, ready = [], threading.Barrier(ASKING_AT_ONCE)

        def ask():
            ready.wait()
            replies.append(self.start(credential, **how))

        crowd = [threading.Thread(target=ask) for _ in range(ASKING_AT_ONCE)]
        for one in crowd:
            one.start()
        for one in crowd:
            one.join()
        return replies

    def check_one_face(self, replies):
        """All of them were told the same face, and it is there."""
        self.assertEqual([reply.status for reply in replies], [200] * len(replies),
                         [reply.body for reply in replies])
        told = {(body["sessionId"], body["signallingEndpoint"])
                for body in (reply.json() for reply in replies)}
        self.assertEqual(len(told), 1)
        ((session_id, endpoint),) = told
        self.engines[session_id] = endpoint.removesuffix("/ws")
        self.assertEqual(self.heartbeat_of(self.socket(session_id), session_id), session_id)
        live = self.server.http("GET", "/v1/live-sessions", bearer(self.server.api_key)).json()
        self.assertEqual([one["id"] for one in live["data"]], [session_id])
        return session_id

    def none_lives(self):
        wait_until(lambda: self.server.http(
            "GET", "/v1/sessions/concurrency", bearer(self.server.api_key)).json()["active"] == 0,
            "the place to be free")


class Retries(RetryCase):
    # Rule engine-session-retry.
    def test_many_starts_at_once_by_one_client_are_one_face(self):
        for _ in range(5):
            self.end(self.check_one_face(self.together(self.token())))
            self.server.wait_for_log("session.ended")

    # Rule session-token-retry-takes-nothing.
    def test_nor_does_an_app_that_is_full_refuse_one_of_them(self):
        self.server.limits("--sessions", "1")
        for _ in range(3):
            session_id = self.check_one_face(self.together(self.token()))
            self.refused(self.start(self.token()), 429, "Concurrent session limit reached")
            self.end(session_id)
            self.none_lives()

    # Rule session-token-retry-takes-nothing.
    def test_a_retry_costs_its_end_user_nothing(self):
        self.server.must("app", "set", self.server.app_id, "--end-user-limit", "1/hour")
        kept = self.server.http("POST", "/v1/personas", bearer(self.server.api_key), PRINTED)
        self.assertEqual(kept.status, 201, kept.body)
        minted = self.server.http("POST", "/v1/session-tokens", bearer(self.server.api_key), {
            "end_user_id": "ada", "persona_id": kept.json()["id"]})
        self.assertEqual(minted.status, 201, minted.body)
        token = minted.json()["session_token"]
        session_id = self.started(token)
        for _ in range(3):
            self.assertEqual(self.started(token), session_id)

    # Rule idempotency-key.
    def test_a_start_with_an_api_key_that_names_itself_is_known_again(self):
        body = {**CLIENT, "personaConfig": PRINTED}
        name = {"Idempotency_Key": "0d1e4f7a-start-of-ada"}
        replies = self.together(self.server.api_key, body=body, **name)
        session_id = self.check_one_face(replies)
        self.assertEqual(self.started(self.server.api_key, body=body, **name), session_id)
        other = self.start(self.server.api_key, body={"personaConfig": {**PRINTED, "name": "Bea"}},
                           **name)
        self.refused(other, 400, "Bad Request")
        self.assertIn("Idempotency-Key", other.json()["message"])
        self.refused(self.start(self.server.api_key, body=body, Idempotency_Key="n" * 256), 400,
                     "Bad Request")
        for how in ({"Idempotency_Key": "another"}, {}, {}):
            self.assertNotEqual(self.started(self.server.api_key, body=body, **how), session_id)

    # Rule idempotency-key.
    def test_another_callers_name_is_another_name(self):
        body = {**CLIENT, "personaConfig": PRINTED}
        made = self.server.http("POST", "/v1/keys", bearer(self.server.api_key), {"name": "other"})
        self.assertEqual(made.status, 201, made.body)
        first = self.started(self.server.api_key, body=body, Idempotency_Key="one")
        second = self.started(made.json()["api_key"], body=body, Idempotency_Key="one")
        self.assertNotEqual(first, second)


class AFullHouse(RetryCase):
    settings = "[live]\nfaces_max = 1\n"

    # Rule session-token-retry-takes-nothing.
    def test_a_full_house_gives_a_client_its_own_face_back_and_spends_no_other_token(self):
        token = self.token()
        session_id = self.started(token)
        self.assertEqual(self.started(token), session_id)
        other = self.token()
        self.refused(self.start(other), 503, "Service Unavailable")
        self.refused(self.start(token, User_Agent="Mozilla/5.0 two"), 401, "Token used")
        self.end(session_id)
        self.none_lives()
        self.started(other)


if __name__ == "__main__":
    main()
