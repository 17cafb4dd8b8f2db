"""What a live face leaves of itself, through a real conversation with a page in Chromium: the session
in lists, its transcript, tool calls and times, and how all that goes away.

SPDX-License-Identifier: Apache-2.0
"""

import contextlib
import json
import pathlib
import sqlite3
import subprocess
import unittest

import model_server
import node_packages
from anam_mint_test import PATH as MINT
from anam_mint_test import PRINTED
from cases import NOBODY, Stage, bearer, main, wait_until
from test_mode_test import AVATAR, ENDING, ENDING_A_FACE

HERE = pathlib.Path(__file__).resolve().parent
HOURS = "We open at nine in the morning, on every day of the week but Sunday, when we rest at home."
SECRETS = ("hook-secret-1", "hook-secret-2", "hook-secret-3", "hush-hush")


class Model(model_server.Model):
    """A language model and the webhook of its tool: it asks for the weather when it is asked for it."""

    def reply_to(self, asked):
        if self.path.startswith("/weather"):
            return self.answer({"weather": "rain in " + asked["city"]})
        last = asked["messages"][-1]
        if "outage" in last["content"]:
            return self.send_error(500)
        if last["role"] == "tool":
            return self.say(content="There is " + json.loads(last["content"])["weather"] + ".")
        if "weather" in last["content"]:
            return self.say(tool_calls=model_server.call_of("weather", {"city": "Bern"}))
        return self.say(content=HOURS)


class Reported(unittest.TestCase):
    settings = ""

    @classmethod
    def setUpClass(cls):
        node_packages.install()
        cls.model = model_server.serve(Model, cls)
        cls.server = Stage(cls.settings + f'''
[engines]
chat_url = "{cls.model}/v1/chat/completions"
allow_private = true
allow_private_webhooks = true
''').__enter__()
        cls.addClassCleanup(cls.server.close)

    @classmethod
    def token(cls, label="Shop Window", **persona):
        config = persona if "personaId" in persona else {**PRINTED, "skipGreeting": True, **persona}
        reply = cls.server.http("POST", MINT, bearer(cls.server.api_key),
                                {"personaConfig": config, "clientLabel": label})
        assert reply.status == 200, reply.body
        return reply.json()["sessionToken"]

    @classmethod
    def weather(cls):
        return {"type": "server", "subtype": "webhook", "name": "weather", "description": "It.",
                "url": cls.model + "/weather/hook-secret-1", "method": "POST",
                "headers": {"X-Hook": "hook-secret-2"},
                "queryParameters": {"key": "hook-secret-3"}, "awaitResponse": True,
                "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}}

    @classmethod
    def begin(cls, token, steps):
        return subprocess.Popen(
            ["node", "session_browser.mjs", cls.server.address, token, json.dumps(steps)],
            cwd=HERE, stdout=subprocess.PIPE, text=True)

    @classmethod
    def converse(cls, steps, **how):
        """Holds it to its end, waits until the ledger knows that, and gives what the page heard."""
        page = cls.begin(cls.token(**how), steps)
        told = page.communicate(timeout=150)[0]
        assert page.returncode == 0, "the page has failed"
        notes = json.loads(told.splitlines()[-1])
        wait_until(lambda: cls.call("GET", "/" + notes["sessionId"]).json()["state"] == "ended",
                   "the session to end", seconds=20)
        return notes

    @classmethod
    def call(cls, method, path, key=None, body=None):
        return cls.server.http(method, "/v1/sessions" + path, bearer(key or cls.server.api_key), body)

    def told(self, path, key=None):
        reply = self.call("GET", path, key)
        self.assertEqual(reply.status, 200, reply.body)
        return reply.json()

    def refused(self, reply, status):
        self.assertEqual(reply.status, status, reply.body)
        self.assertTrue(reply.json()["error"])
        self.assertTrue(reply.json()["message"])


class Warned(Reported):
    """A session of whose wishes some are not done."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        too_short = {"voiceDetectionOptions": {"silenceBeforeAutoEndTurnSeconds": -1}}
        slower = {"voiceGenerationOptions": {"speed": 0.75}}
        louder = {"voiceGenerationOptions": {"volume": 2}}
        cls.page = cls.converse(
            [{"change": too_short}, {"change": louder}, {"change": slower}, {"say": "Is this an outage?"}], name="Ada",
            languageCode="de", voiceGenerationOptions={"stability": 0.5, "speed": 1.1})

    def test_the_page_is_told_of_each_once(self):
        told = self.page["warnings"]
        for words in ("No speech engine has this voice and language; its default is spoken.",
                      "The speech recogniser does not understand this language.",
                      "The voices here follow speed alone; other voiceGenerationOptions have no effect.",
                      "persona_config: voiceDetectionOptions.silenceBeforeAutoEndTurnSeconds must be from "
                      "0.5 to 10",
                      "The language model did not answer; another partner answers in its place."):
            self.assertEqual(told.count(words), 1, told)
        self.assertEqual(len(told), 5, told)

    def test_the_page_is_told_what_a_change_has_made_other(self):
        told, = self.page["changed"]
        self.assertEqual(told["session_id"], self.page["sessionId"])
        self.assertEqual(told["changed_fields"],
                         {"voiceGenerationOptions.speed": {"before": 1.1, "after": 0.75}})

    # Rule chat-falls-back.
    def test_a_model_that_fails_leaves_a_scripted_partner_who_says_so_and_a_line_in_the_log(self):
        told = self.told(f"/{self.page['sessionId']}/transcript")["messages"]
        self.assertEqual([m["role"] for m in told], ["user", "persona"])
        self.assertIn("I am scripted", told[1]["message"])
        self.assertIn('"engine.failed"', self.server.log())
        self.assertIn("web chat: status 500", self.server.log())


class Conversation(Reported):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.notes = cls.converse([{"say": "How is the weather?"}, {"interrupt": "When do you open?"}],
                                 name="Ada", tools=[cls.weather()])
        cls.id = cls.notes["sessionId"]
        reply = cls.server.http("POST", "/v1/personas", bearer(cls.server.api_key),
                                {"name": "Bo", "skipGreeting": True, "zeroDataRetention": True})
        cls.persona = reply.json()["id"]
        cls.silent = cls.converse([{"say": "My word is Rumpelstiltskin."}], label="Kiosk",
                                  personaId=cls.persona)["sessionId"]

    def test_the_session_tells_both_readers_what_it_was(self):
        session = self.told("/" + self.id)
        self.assertEqual((session["dialect"], session["environment"]), ("anam", "test"))
        self.assertEqual((session["personaId"], session["clientLabel"]), (None, "Shop Window"))
        self.assertEqual((session["end_reason"], session["exitStatus"]), ("hung_up", "NORMAL_EXIT"))
        self.assertGreater(session["sessionLengthMs"], 0)
        self.assertLess(session["startTime"], session["endTime"])
        self.assertEqual(session["apiKeyId"], session["api_key_id"])
        self.assertEqual(session["personaConfig"]["name"], "Ada")
        self.assertEqual(session["clientMetadata"]["client"], "test-page")
        self.assertEqual(self.told("/" + self.silent)["personaId"], self.persona)
        for member in ("engineHost", "engineProtocol", "engineVersion", "organizationId",
                       "createdAt", "updatedAt"):
            self.assertIn(member, session)

    # Rule session-report-redacted.
    # Rule log-holds-no-credential.
    def test_nothing_that_lets_somebody_in_and_nothing_said_is_told_or_logged(self):
        session = self.call("GET", "/" + self.id).body.decode()
        listed = self.call("GET", "").body.decode()
        for secret in SECRETS:
            self.assertNotIn(secret, session)
            self.assertNotIn(secret, listed)
            self.assertNotIn(secret, self.server.log())
        self.assertIn("X-Hook", session)
        self.assertNotIn("weather", self.server.log())

    def test_the_transcript_is_what_the_page_heard(self):
        transcript = self.told(f"/{self.id}/transcript")
        self.assertEqual((transcript["sessionId"], transcript["personaName"]), (self.id, "Ada"))
        self.assertIs(transcript["transcriptsEnabled"], True)
        self.assertIs(transcript["isTruncated"], False)
        messages = transcript["messages"]
        self.assertEqual(transcript["totalMessages"], len(messages))
        heard = {}
        for piece in self.notes["spoken"]:
            name = (piece["role"], piece["message_id"])
            heard[name] = heard.get(name, "") + piece["content"]
        self.assertEqual([(m["role"], m["message"]) for m in messages],
                         [(role, text) for (role, _), text in heard.items()])
        self.assertEqual([m["role"] for m in messages], ["user", "persona"] * 2)
        self.assertEqual(messages[0]["message"], "How is the weather?")
        self.assertIsNone(messages[0]["speakingDurationSeconds"])
        self.assertNotIn("wasInterrupted", messages[0])
        self.assertEqual(messages[1]["message"], "There is rain in Bern.")
        self.assertIs(messages[1]["wasInterrupted"], False)
        self.assertGreater(messages[1]["speakingDurationSeconds"], 0.5)
        self.assertIs(messages[3]["wasInterrupted"], True)
        self.assertTrue(HOURS.startswith(messages[3]["message"]))
        self.assertLess(len(messages[3]["message"]), len(HOURS))
        times = [m["timestamp"] for m in messages]
        self.assertEqual(times, sorted(times))
        self.assertTrue(transcript["startTime"] <= times[0] <= times[-1] <= transcript["endTime"])

    def test_tool_calls_are_told_with_the_session(self):
        (call,) = self.told("/" + self.id)["toolCalls"]
        self.assertEqual((call["toolName"], call["toolType"], call["toolSubtype"], call["status"]),
                         ("weather", "server", "webhook", "completed"))
        self.assertEqual((call["turnIndex"], call["toolCallId"]), (0, "call_1"))
        self.assertEqual(call["arguments"], {"city": "Bern"})
        self.assertEqual(json.loads(call["result"]), {"weather": "rain in Bern"})
        self.assertIsNone(call["errorMessage"])
        self.assertGreaterEqual(call["durationSeconds"], 0)
        self.assertNotIn("toolCalls", self.told("")["data"][0])

    # Rule session-transcript-by-consent.
    def test_a_persona_with_zero_data_retention_leaves_times_and_not_a_word(self):
        transcript = self.told(f"/{self.silent}/transcript")
        self.assertIs(transcript["transcriptsEnabled"], False)
        self.assertEqual((transcript["totalMessages"], transcript["messages"]), (0, []))
        analytics = self.told(f"/{self.silent}/analytics?includeMessages=true")
        self.assertEqual([turn["messages"] for turn in analytics["turns"]], [[]])
        self.assertGreater(analytics["turns"][0]["responseMs"], 0)
        with contextlib.closing(sqlite3.connect(self.server.data / "stagedoor.db")) as store:
            self.assertNotIn("Rumpelstiltskin", "\n".join(store.iterdump()))
        self.assertNotIn("Rumpelstiltskin", self.server.log())

    def test_each_turn_tells_how_long_it_kept_its_user_waiting(self):
        analytics = self.told(f"/{self.id}/analytics")
        self.assertEqual((analytics["sessionType"], analytics["totalTurns"]), ("turnkey", 2))
        for index, turn in enumerate(analytics["turns"]):
            self.assertEqual(turn["turnIndex"], index)
            self.assertIsNone(turn["transcriptionMs"])
            self.assertGreater(turn["responseMs"], 0)
            self.assertEqual(turn["totalMs"], turn["responseMs"])
            self.assertNotIn("messages", turn)
        self.assertEqual(analytics["latencies"]["responseMs"]["count"], 2)
        self.assertIsNone(analytics["latencies"]["transcriptionMs"])
        turns = self.told(f"/{self.id}/analytics?includeMessages=true")["turns"]
        self.assertEqual([len(turn["messages"]) for turn in turns], [2, 2])
        self.refused(self.call("GET", f"/{self.id}/analytics?includeMessages=maybe"), 400)

    def test_percentiles_are_over_the_sessions_that_are_meant(self):
        both = self.told("/analytics")
        self.assertEqual((both["totalSessions"], both["totalTurns"]), (2, 3))
        self.assertEqual(both["exitStatuses"],
                         {"NORMAL_EXIT": 2, "ERROR": 0, "CLOSED_BY_ENGINE": 0})
        times = both["latencies"]["responseMs"]
        self.assertTrue(times["min"] <= times["p50"] <= times["p90"] <= times["p99"] <= times["max"])
        self.assertIs(both["isTruncated"], False)
        for query, count in (("personaId=" + self.persona, 1), ("clientLabel=Shop%20Window", 1),
                             ("clientLabel=Shop", 0), ("sessionType=turnkey", 2),
                             ("sessionType=custom_llm_client", 0), ("sessionType=livekit", 0),
                             ("apiKeyId=" + self.told("/" + self.id)["apiKeyId"], 2),
                             ("apiKeyId=key_0000000000000000", 0), ("apiKeyId=x", 0),
                             ("from=2026-01-01&to=2026-01-31", 0)):
            self.assertEqual(self.told("/analytics?" + query)["totalSessions"], count, query)
        for query in ("from=yesterday", "from=2026-01-01&to=2026-02-02", "sessionType=opera",
                      "from=2026-01-02&to=2026-01-01"):
            self.refused(self.call("GET", "/analytics?" + query), 400)

    def test_lists_are_paged_and_searched_in_either_readers_way(self):
        def ids(query=""):
            return [session["id"] for session in self.told(query)["data"]]

        self.assertEqual(ids(), [self.silent, self.id])
        self.assertEqual(ids("?search=shop"), [self.id])
        self.assertEqual(ids("?search=" + self.silent), [self.silent])
        self.assertEqual(ids("?personaId=" + self.persona), [self.silent])
        self.assertEqual(ids("?personaId=" + NOBODY), [])
        self.assertEqual(ids("?apiKeyId=" + self.told("/" + self.id)["apiKeyId"]),
                         [self.silent, self.id])
        second = self.told("?page=2&perPage=1")
        self.assertEqual([session["id"] for session in second["data"]], [self.id])
        self.assertEqual(second["meta"], {"total": 2, "lastPage": 2, "currentPage": 2,
                                          "perPage": 1, "prev": 1, "next": None})
        first = self.told("?limit=1")
        self.assertNotIn("meta", first)
        self.assertEqual(ids("?limit=1&cursor=" + first["next"]), [self.id])
        for query in ("?page=0", "?perPage=101", "?page=1&limit=1", "?cursor=x"):
            self.refused(self.call("GET", query), 400)

    # Rule live-session-of-its-app.
    def test_a_key_of_the_other_environment_or_app_finds_nothing_of_it(self):
        for words in (("--app", self.server.app_id, "--live"),
                      ("--app", self.server.second_app())):
            key = json.loads(self.server.must("key", "create", *words, "--json"))["api_key"]
            wait_until(lambda: self.call("GET", "", key).status == 200, "the key to be known")
            for method, path in (("GET", "/{}"), ("GET", "/{}/transcript"), ("GET", "/{}/recording"),
                                 ("GET", "/{}/analytics"), ("POST", "/{}/stop"), ("DELETE", "/{}")):
                theirs, none = (self.call(method, path.format(id), key) for id in (self.id, NOBODY))
                self.refused(theirs, 404)
                self.assertEqual(theirs.body, none.body)
            self.assertEqual(self.told("/analytics", key)["totalSessions"], 0)
            self.assertEqual(self.told("", key)["data"], [])

    def test_there_are_no_recordings_and_the_refusal_says_so(self):
        reply = self.call("GET", f"/{self.id}/recording")
        self.refused(reply, 404)
        self.assertIn("no recordings", reply.json()["message"])


class ForcedEnds(Reported):
    # Rule test-mode-same-code.
    def test_each_end_that_a_test_value_forces_comes_after_the_first_words_and_is_told_the_page(self):
        for number, words in ENDING_A_FACE.items():
            reason = ENDING[number][4]
            with self.subTest(reason=reason):
                token = self.token(avatarId=AVATAR.format(number), skipGreeting=False)
                page = self.begin(token, [{"wait": "the end"}])
                told = page.communicate(timeout=150)[0].splitlines()
                self.assertEqual(page.returncode, 0)
                notes = json.loads(told[-1])
                self.assertIn(words, notes["ended"])
                path = "/" + notes["sessionId"]
                wait_until(lambda: self.told(path)["state"] == "ended", "the end", seconds=20)
                self.assertEqual(self.told(path)["end_reason"], reason)


class Ends(Reported):
    def live(self):
        """A conversation in which "Hello." was answered and that goes on, and its id."""
        page = self.begin(self.token(), [{"say": "Hello."}, {"wait": "the end"}])
        self.addCleanup(page.stdout.close)
        self.addCleanup(page.wait, 60)
        self.assertEqual(page.stdout.readline(), "done\n")
        (session,) = self.told("?state=live")["data"]
        return page, session["id"]

    def spoken(self, session_id):
        return [m["message"] for m in self.told(f"/{session_id}/transcript")["messages"]]

    # Rule session-removed-for-good.
    def test_one_that_runs_can_be_stopped_and_then_removed_for_good(self):
        self.assertEqual(self.told("/concurrency"), {"limit": 1000, "active": 0,
                                                     "canStartSession": True,
                                                     "estimatedWaitSeconds": None})
        page, session_id = self.live()
        self.assertEqual(self.told("/concurrency")["active"], 1)
        self.assertEqual(self.told("/" + session_id)["toolCalls"], [])
        self.assertIsNone(self.told("/" + session_id)["exitStatus"])
        for path in ("/transcript", "/analytics"):
            self.refused(self.call("GET", f"/{session_id}{path}"), 404)
        self.refused(self.call("DELETE", "/" + session_id), 409)
        reply = self.call("POST", f"/{session_id}/stop")
        self.assertEqual((reply.status, reply.json()), (200, {}))
        notes = json.loads(page.communicate(timeout=60)[0].splitlines()[-1])
        self.assertIn("ended by its app", notes["ended"])
        self.assertEqual(self.told("/" + session_id)["exitStatus"], "NORMAL_EXIT")
        wait_until(lambda: self.call("GET", f"/{session_id}/transcript").status == 200, "its report")
        self.assertEqual(self.spoken(session_id)[0], "Hello.")
        wait_until(lambda: self.told("/concurrency")["active"] == 0, "its place to be free")
        self.refused(self.call("POST", f"/{session_id}/stop"), 404)

        self.assertEqual(self.call("DELETE", "/" + session_id).status, 200)
        for method, path in (("GET", ""), ("GET", "/transcript"), ("GET", "/analytics"),
                             ("DELETE", "")):
            self.refused(self.call(method, f"/{session_id}{path}"), 404)
        self.assertEqual(self.told("")["data"], [])
        self.assertEqual(len(self.server.audited("session.remove")), 1)
        self.server.must("usage", "reconcile")
        reply = self.server.http("GET", "/v1/usage", bearer(self.server.api_key))
        self.assertEqual(reply.json()["data"][0]["sessions"], 1)

    # Rule session-counted-once.
    def test_what_was_said_is_kept_when_the_server_stops(self):
        page, session_id = self.live()
        self.server.restart()
        page.communicate(timeout=60)
        session = self.told("/" + session_id)
        self.assertEqual((session["end_reason"], session["exitStatus"]),
                         ("shutting_down", "CLOSED_BY_ENGINE"))
        self.assertEqual(self.spoken(session_id), ["Hello.", HOURS])


class Forgetful(Reported):
    settings = "[live]\nkeep_transcripts = false\n"

    # Rule session-transcript-by-consent.
    def test_where_the_settings_say_so_no_word_is_kept(self):
        session_id = self.converse([{"say": "My word is Rumpelstiltskin."}])["sessionId"]
        transcript = self.told(f"/{session_id}/transcript")
        self.assertEqual((transcript["transcriptsEnabled"], transcript["messages"]), (False, []))
        with contextlib.closing(sqlite3.connect(self.server.data / "stagedoor.db")) as store:
            self.assertNotIn("Rumpelstiltskin", "\n".join(store.iterdump()))


if __name__ == "__main__":
    main()
