"""What a persona is made of, at work in live sessions: documents that its tool searches, and a language
model of its workspace's own; asked with the vendor's published client in headless Chromium.

SPDX-License-Identifier: Apache-2.0
"""

import json
import unittest

import browser_program
import model_server
from cases import Stage, bearer, main, wait_until
from knowledge_test import form

BROWSER_SECONDS = 200
PETS = "Dogs may come in on a lead. Cats stay outside."
OWN_KEY = "sk-of-the-workspace"
OWN_WORDS = "I am the model of this workspace."
PICK_COLOUR = {"type": "client", "name": "pick_colour", "description": "Lets the visitor pick one.",
               "awaitResult": True,
               "parameters": {"type": "object", "properties": {"of": {"type": "integer"}}}}


class Model(model_server.Model):
    """The server's language model, which looks up what it is asked for, and those of a workspace: one
    says who it is, one asks the client's tool, one repeats what it was told of last."""

    asked_of_own = []

    def reply_to(self, asked):
        if self.path == "/own/v1/chat/completions":
            Model.asked_of_own.append((self.headers["Authorization"], asked["model"],
                                       asked["messages"][-1]["content"]))
            return self.say(content=OWN_WORDS)
        last = asked["messages"][-1]
        if self.path == "/client/v1/chat/completions":
            if last["role"] == "tool":
                return self.say(content=f"You have picked {last['content']}.")
            return self.say(reasoning_content="I must look.",
                            tool_calls=model_server.call_of("pick_colour", {"of": 3}))
        if self.path == "/context/v1/chat/completions":
            noted = [one["content"] for one in asked["messages"] if one["role"] == "system"]
            return self.say(content=noted[-1])
        if last["role"] == "tool":
            found = json.loads(last["content"])
            return self.say(content=found[0]["filename"] + " says: " + found[0]["content"])
        (tool,) = [one["function"]["name"] for one in asked["tools"]]
        self.say(tool_calls=model_server.call_of(tool, {"query": last["content"]}))


class Engines(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        address = model_server.serve(Model, cls)
        cls.server = Stage(f"""
[engines]
chat_url = "{address}/v1/chat/completions"
allow_private = true
allow_private_webhooks = true
""").__enter__()
        cls.addClassCleanup(cls.server.close)
        cases = {
            "knowledge": {"persona": {"toolIds": [cls.tool_over(cls.documents())]},
                          "question": "May dogs come in?"},
            "own": {"persona": {"llmId": cls.own_model(address + "/own/v1")},
                    "question": "Who are you?"},
            "client": {"persona": {"llmId": cls.own_model(address + "/client/v1"),
                                   "tools": [PICK_COLOUR]},
                       "tools": {"pick_colour": "blue"}, "question": "Which colour?"},
            "context": {"persona": {"llmId": cls.own_model(address + "/context/v1")},
                        "context": "The visitor is called Zoe.", "question": "Who am I?"},
            "stream": {"persona": {"llmId": "CUSTOMER_CLIENT_V1"},
                       "stream": "And so I go on, and on, and on about this. " * 20},
            "hasty": {"persona": {}, "hasty": "And so I go on, and on, and on about this. " * 3}}
        cls.heard = browser_program.run(cls.server, "persona_engines_browser.mjs", json.dumps(cases),
                                        BROWSER_SECONDS)

    @classmethod
    def make(cls, path, body, headers=None):
        reply = cls.server.http("POST", path, bearer(cls.server.api_key) | (headers or {}), body)
        assert reply.status == 201, reply.body
        return reply.json()["id"]

    @classmethod
    def documents(cls):
        """A group with two of them, of which one tells of dogs."""
        group = cls.make("/v1/knowledge/groups", {"name": "Rules of the house"})
        for name, text in (("pets.txt", PETS), ("hours.txt", "We open at nine.")):
            headers, body = form(name, text)
            cls.make(f"/v1/knowledge/groups/{group}/documents", body, headers)
        return group

    @classmethod
    def tool_over(cls, group):
        return cls.make("/v1/tools", {
            "name": "search_knowledge", "description": "Looks up the rules of the house.",
            "type": "SERVER_RAG", "config": {"documentFolderIds": [group]}})

    @classmethod
    def own_model(cls, url):
        return cls.make("/v1/llms", {"displayName": "Ours", "llmFormat": "openai",
                                     "modelName": "ours-1", "secret": OWN_KEY,
                                     "urls": [{"url": url}]})

    def answer(self, name):
        """What the client heard it say."""
        return "".join(piece["content"] for piece in self.heard[name]["speech"]
                       if piece["role"] == "persona")

    def told(self, name, path=""):
        """What is left of the session, once it is over and written down."""
        place = f"/v1/sessions/{self.heard[name]['sessionId']}{path}"
        ask = lambda: self.server.http("GET", place, bearer(self.server.api_key))
        wait_until(lambda: ask().status == 200 and ask().json().get("state") != "live",
                   "the session to be over", seconds=20)
        return ask().json()

    def test_a_persona_answers_from_the_documents_that_its_tool_searches(self):
        self.assertEqual(self.answer("knowledge"), "pets.txt says: " + PETS)
        wait_until(lambda: self.told("knowledge")["toolCalls"], "the session's report", seconds=20)
        (call,) = self.told("knowledge")["toolCalls"]
        self.assertEqual(
            (call["toolName"], call["toolType"], call["toolSubtype"], call["status"]),
            ("search_knowledge", "server", "knowledge", "completed"))
        self.assertEqual(call["arguments"], {"query": "May dogs come in?"})
        self.assertEqual(json.loads(call["result"])[0], {"filename": "pets.txt", "content": PETS})

    # Rule language-model-key-stays.
    def test_a_persona_answers_with_its_workspaces_own_model_and_key(self):
        self.assertEqual(self.answer("own"), OWN_WORDS)
        self.assertEqual(Model.asked_of_own, [("Bearer " + OWN_KEY, "ours-1", "Who are you?")])
        self.assertNotIn(OWN_KEY, self.server.log())

    def test_a_model_gets_what_the_clients_own_tool_gives(self):
        self.assertEqual(self.answer("client"), "You have picked blue.")
        self.assertEqual(self.heard["client"]["asked"], [{"of": 3}])
        for event in ("TOOL_CALL_STARTED", "TOOL_CALL_COMPLETED"):
            self.assertIn(event, self.heard["client"]["events"])

    # Rule thoughts-end.
    def test_a_clients_history_of_thoughts_is_told_when_a_thought_ends(self):
        self.assertIn("REASONING_HISTORY_UPDATED", self.heard["client"]["events"])

    def test_a_model_is_told_what_the_client_adds_and_does_not_answer_it(self):
        self.assertEqual(self.answer("context"), "The visitor is called Zoe.")
        said = self.heard["context"]["speech"]
        self.assertEqual(sum(one["endOfSpeech"] for one in said if one["role"] == "persona"), 1)

    # Rule interruption-stops-conversation.
    def test_a_client_is_told_that_its_stream_is_interrupted(self):
        self.assertIn("TALK_STREAM_INTERRUPTED", self.heard["stream"]["events"])
        self.assertIs(self.heard["stream"]["streamed"], False, "the stream is not active any more")
        self.assertLess(len(self.answer("stream")), 400)

    # Rule face-speech-bounded.
    def test_words_that_are_interrupted_over_and_over_wait_and_are_spoken_in_their_time(self):
        self.assertEqual(self.heard["hasty"]["warnings"],
                         ["More is given to be spoken than can be heard; it waits."])
        self.assertTrue(self.answer("hasty").endswith("At last."), self.answer("hasty"))

    def test_analytics_tell_whose_model_answered(self):
        for name in self.heard:
            self.told(name)
        for name, kind, count in (("own", "custom_llm_server", 3), ("knowledge", "turnkey", 2),
                                  ("stream", "custom_llm_client", 1)):
            self.assertEqual(self.told(name, "/analytics")["sessionType"], kind)
            listed = self.server.http("GET", "/v1/sessions/analytics?sessionType=" + kind,
                                      bearer(self.server.api_key)).json()
            self.assertEqual(listed["totalSessions"], count, kind)


if __name__ == "__main__":
    main()
