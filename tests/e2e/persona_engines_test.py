"""What a persona is made of, at work in live sessions: documents that its tool searches, and a language
model of its workspace's own; asked with the vendor's published client in headless Chromium.

SPDX-License-Identifier: Apache-2.0
"""

import http.server
import json
import os
import pathlib
import subprocess
import threading
import unittest

import node_packages
from cases import Stage, bearer, main, wait_until
from knowledge_test import form

HERE = pathlib.Path(__file__).resolve().parent
BROWSER_SECONDS = 200
PETS = "Dogs may come in on a lead. Cats stay outside."
OWN_KEY = "sk-of-the-workspace"
OWN_WORDS = "I am the model of this workspace."


class Model(http.server.BaseHTTPRequestHandler):
    """Two language models: the server's, which looks up what it is asked for, and a workspace's own."""

    asked_of_own = []

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path == "/own/v1/chat/completions":
            Model.asked_of_own.append((self.headers["Authorization"], asked["model"],
                                       asked["messages"][-1]["content"]))
            return self.say(content=OWN_WORDS)
        last = asked["messages"][-1]
        if last["role"] == "tool":
            found = json.loads(last["content"])
            return self.say(content=found[0]["filename"] + " says: " + found[0]["content"])
        (tool,) = [one["function"]["name"] for one in asked["tools"]]
        call = {"name": tool, "arguments": json.dumps({"query": last["content"]})}
        self.say(tool_calls=[{"id": "call_1", "type": "function", "function": call}])

    def say(self, **message):
        message = {"role": "assistant", "content": ""} | message
        body = json.dumps({"choices": [{"message": message}]}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Engines(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        node_packages.install()
        model = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Model)
        threading.Thread(target=model.serve_forever, daemon=True).start()
        cls.addClassCleanup(model.server_close)
        cls.addClassCleanup(model.shutdown)
        address = f"http://127.0.0.1:{model.server_port}"
        cls.server = Stage(f"""
[engines]
chat_url = "{address}/v1/chat/completions"
allow_private = true
allow_private_webhooks = true
""").__enter__()
        cls.addClassCleanup(cls.server.close)
        cls.heard = cls.ask({
            "knowledge": {"persona": {"toolIds": [cls.tool_over(cls.documents())]},
                          "question": "May dogs come in?"},
            "own": {"persona": {"llmId": cls.own_model(address + "/own/v1")},
                    "question": "Who are you?"}})

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

    @classmethod
    def ask(cls, cases):
        done = subprocess.run(
            ["node", "persona_engines_browser.mjs", json.dumps(cases)], cwd=HERE,
            stdout=subprocess.PIPE, text=True, timeout=BROWSER_SECONDS,
            env={**os.environ, "STAGEDOOR_URL": cls.server.address,
                 "STAGEDOOR_KEY": cls.server.api_key})
        if done.returncode != 0:
            raise AssertionError(f"the browser ended with {done.returncode}; the server said:\n"
                                 + cls.server.log())
        return json.loads(done.stdout)

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

    def test_analytics_tell_whose_model_answered(self):
        for name, kind in (("own", "custom_llm_server"), ("knowledge", "turnkey")):
            self.assertEqual(self.told(name, "/analytics")["sessionType"], kind)
            listed = self.server.http("GET", "/v1/sessions/analytics?sessionType=" + kind,
                                      bearer(self.server.api_key)).json()
            self.assertEqual(listed["totalSessions"], 1, kind)


if __name__ == "__main__":
    main()
