"""/v1/knowledge, against the real binary: groups of documents, and what is found in them.

SPDX-License-Identifier: Apache-2.0
"""

import base64

from anam_mint_test import PATH as MINT
from cases import AnamCase, NOBODY, bearer, live_key, main

PATH = "/v1/knowledge"
HOURS = "# Opening hours\n\nWe open at nine in the morning and close at five.\n"
PETS = "Dogs may come in. Cats stay outside.\n"


def form(filename, content, **others):
    """A form's headers and body."""
    parts = [f'Content-Disposition: form-data; name="{name}"\r\n\r\n{value}'.encode()
             for name, value in others.items()]
    if filename is not None:
        head = f'Content-Disposition: form-data; name="file"; filename="{filename}"\r\n\r\n'
        parts.append(head.encode() + (content if isinstance(content, bytes) else content.encode()))
    body = b"".join(b"--x\r\n" + part + b"\r\n" for part in parts) + b"--x--\r\n"
    return {"Content-Type": "multipart/form-data; boundary=x"}, body


class KnowledgeCase(AnamCase):
    path = PATH

    def call(self, method, path="", body=None, key=None, headers=None):
        headers = bearer(key or self.server.api_key) | (headers or {})
        return self.server.http(method, PATH + path, headers, body)

    def group(self, name="Texts"):
        reply = self.call("POST", "/groups", {"name": name})
        self.assertEqual(reply.status, 201, reply.body)
        return reply.json()["id"]

    def upload(self, group, filename, content, key=None, **others):
        headers, body = form(filename, content, **others)
        return self.call("POST", f"/groups/{group}/documents", body, key, headers)

    def document(self, group, filename="hours.md", content=HOURS, **others):
        reply = self.upload(group, filename, content, **others)
        self.assertEqual(reply.status, 201, reply.body)
        return reply.json()

    def search(self, group, query, **members):
        return self.call("POST", f"/groups/{group}/search", {"query": query} | members)


class Keeping(KnowledgeCase):
    def test_groups_are_made_listed_renamed_and_taken_away(self):
        group = self.group("First")
        shown = self.call("GET", "/groups/" + group).json()
        self.assertEqual((shown["name"], shown["description"], shown["documentCount"]),
                         ("First", None, 0))
        self.assertIn(shown, self.call("GET", "/groups").json())
        renamed = self.call("PUT", "/groups/" + group, {"name": "Second", "description": "d"})
        self.assertEqual((renamed.status, renamed.json()["name"]), (200, "Second"))
        self.assertEqual(self.call("DELETE", "/groups/" + group).status, 204)
        self.assert_refused(self.call("GET", "/groups/" + group), 404, "Not Found")

    def test_a_document_is_kept_listed_renamed_and_given_back(self):
        group = self.group()
        document = self.document(group)
        self.assertEqual((document["filename"], document["fileType"], document["status"]),
                         ("hours.md", "md", "READY"))
        self.assertEqual((document["knowledgeFolderId"], document["fileSize"]), (group, len(HOURS)))
        for member in ("id", "fileUrl", "errorMessage", "createdAt", "updatedAt"):
            self.assertIn(member, document)
        path = "/documents/" + document["id"]
        self.assertEqual(self.call("GET", path).json(), document)
        self.assertEqual(self.call("GET", f"/groups/{group}/documents").json(), [document])
        self.assertEqual(self.call("GET", "/groups/" + group).json()["documentCount"], 1)
        renamed = self.call("PUT", path, {"filename": "times.md"})
        self.assertEqual((renamed.status, renamed.json()["filename"]), (200, "times.md"))
        download = self.call("GET", path + "/download").json()
        self.assertEqual(download["filename"], "times.md")
        kind, _, encoded = download["downloadUrl"].partition(",")
        self.assertEqual(kind, "data:text/plain;charset=utf-8;base64")
        self.assertEqual(base64.b64decode(encoded).decode(), HOURS)
        self.assertEqual(self.call("DELETE", path).status, 204)
        self.assert_refused(self.call("GET", path), 404, "Not Found")
        self.assertEqual(self.call("GET", f"/groups/{group}/documents").json(), [])

    def test_passages_are_found_by_their_words_the_best_first(self):
        group, other = self.group(), self.group()
        hours = self.document(group)
        self.document(group, "pets.txt", PETS)
        self.document(other, "other.txt", "Opening hours of the other shop: never.")
        (found,) = self.search(group, "When do you open? hours").json()
        self.assertEqual((found["documentId"], found["filename"], found["chunkIndex"]),
                         (hours["id"], "hours.md", 0))
        self.assertEqual(found["content"], HOURS)
        self.assertEqual(found["metadata"], {})
        self.assertIsInstance(found["score"], float)
        self.assertEqual(self.search(group, "elephants").json(), [])
        self.assertEqual(self.search(group, '"*^:() OR').json(), [])

    def test_a_long_document_is_cut_as_the_form_says(self):
        group = self.group()
        text = " ".join(f"word{i}" for i in range(500))
        self.document(group, "long.log", text, chunkSize=200, chunkOverlap=50)
        (found,) = self.search(group, "word499").json()
        self.assertGreater(found["chunkIndex"], 10)
        self.assertLessEqual(len(found["content"]), 200)
        apart = "word0 word100 word200 word300"
        self.assertEqual(len(self.search(group, apart, limit=3).json()), 3)
        self.assertGreaterEqual(len(self.search(group, apart).json()), 4)  # one may stand in two

    def test_with_a_group_go_its_documents(self):
        group = self.group()
        document = self.document(group)["id"]
        self.assertEqual(self.call("DELETE", "/groups/" + group).status, 204)
        self.assert_refused(self.call("GET", "/documents/" + document), 404, "Not Found")


class OfAPersona(KnowledgeCase):
    def tool(self, group, key=None):
        return self.server.http("POST", "/v1/tools", bearer(key or self.server.api_key), {
            "name": "find", "description": "Looks up.", "type": "SERVER_RAG",
            "config": {"documentFolderIds": [group]}}).json()["id"]

    def mint(self, config, key=None):
        return self.server.http("POST", MINT, bearer(key or self.server.api_key),
                                {"personaConfig": {"avatarId": "aria-001"} | config})

    def test_a_session_begins_with_knowledge_tools_kept_or_its_own(self):
        group = self.group()
        self.document(group)
        own = {"name": "own", "type": "server", "subtype": "knowledge",
               "documentFolderIds": [group]}
        for config in ({"toolIds": [self.tool(group)]}, {"tools": [own]}):
            token = self.mint(config)
            self.assertEqual(token.status, 200, token.body)
            opened = self.server.http("POST", "/v1/engine/session",
                                      bearer(token.json()["sessionToken"]), {})
            self.assertEqual(opened.status, 200, opened.body)

    def test_400_for_a_group_that_is_gone_or_of_others(self):
        """Rule knowledge-of-one-workspace."""
        group, live = self.group(), live_key(self.server)
        own = {"name": "own", "type": "server", "subtype": "knowledge",
               "documentFolderIds": [group]}
        path = "personaConfig.tools[0].documentFolderIds"
        self.assert_refused(self.mint({"tools": [own]}, live), 400, "Bad Request", path)
        self.assert_refused(self.mint({"toolIds": [self.tool(group, live)]}, live), 400,
                            "Bad Request", "personaConfig.toolIds[0]")
        self.call("DELETE", "/groups/" + group)
        self.assert_refused(self.mint({"tools": [own]}), 400, "Bad Request", path)


class Refusals(KnowledgeCase):
    def test_other_kinds_of_documents_are_refused_by_name(self):
        """Rule knowledge-by-name-and-size."""
        group = self.group()
        for name in ("a.pdf", "a.docx", "a"):
            reply = self.upload(group, name, "text")
            self.assert_refused(reply, 501, "Not Implemented")
        self.assertIn("pdf", self.upload(group, "a.pdf", "text").json()["message"])
        for content in ("", b"\xff\xfe", b"a\0b"):
            self.assert_refused(self.upload(group, "a.txt", content), 400, "Bad Request")
        self.assert_refused(self.upload(group, "a.txt", "x" * (1 << 20)), 413, "Payload Too Large")

    def test_what_is_no_form_of_one_is_refused(self):
        group = self.group()
        self.assert_refused(self.call("POST", f"/groups/{group}/documents", {}), 400, "Bad Request")
        self.assert_refused(self.upload(group, None, ""), 400, "Bad Request", "file")
        for others in ({"chunkSize": "x"}, {"chunkSize": 99}, {"chunkOverlap": 600}):
            self.assert_refused(self.upload(group, "a.txt", "x", **others), 400, "Bad Request")
        for path in (f"/groups/{group}/documents/presigned-upload",
                     f"/documents/{NOBODY}/confirm-upload"):
            self.assert_refused(self.call("POST", path, {}), 501, "Not Implemented")

    def test_400_names_the_member(self):
        group = self.group()
        document = self.document(group)["id"]
        self.assert_refused(self.call("POST", "/groups", {}), 400, "Bad Request", "name")
        self.assert_refused(self.call("PUT", "/groups/" + group, {"x": 1}), 400, "Bad Request", "x")
        self.assert_refused(self.search(group, ""), 400, "Bad Request", "query")
        self.assert_refused(self.search(group, "x", limit=21), 400, "Bad Request", "limit")
        path = "/documents/" + document
        self.assert_refused(self.call("PUT", path, {}), 400, "Bad Request", "filename")
        self.assert_refused(self.call("PUT", path, {"filename": "a.txt"}), 400, "Bad Request")

    def test_403_for_whoever_may_only_look(self):
        group = self.group()
        document = "/documents/" + self.document(group)["id"]
        reader = self.key_with("personas:read")["api_key"]
        for path in ("/groups", f"/groups/{group}/documents", document, document + "/download"):
            self.assertEqual(self.call("GET", path, key=reader).status, 200)
        self.assertEqual(
            self.call("POST", f"/groups/{group}/search", {"query": "x"}, reader).status, 200)
        self.assert_refused(self.upload(group, "a.txt", "x", reader), 403, "Forbidden")
        for method, path, body in (("POST", "/groups", {"name": "x"}),
                                   ("PUT", "/groups/" + group, {}),
                                   ("DELETE", "/groups/" + group, None),
                                   ("PUT", document, {"filename": "b.md"}),
                                   ("DELETE", document, None)):
            self.assert_refused(self.call(method, path, body, reader), 403, "Forbidden")

    def test_404_for_others_is_that_for_nothing(self):
        """Rule knowledge-of-one-workspace."""
        group, live = self.group(), live_key(self.server)
        document = self.document(group)["id"]
        self.server.insert("workspaces", "ws_other", "Other", 0)
        self.server.insert("catalog_items", "foreign", 2, "ws_other", 1, "X", "{}", None, 0, 0,
                           None, 1)
        self.server.insert("documents", "text", "foreign", "ws_other", 1, "a.txt", "txt", "x", 1, 0,
                           0, 1)
        for group_id, document_id, key in ((group, document, live), ("foreign", "text", None)):
            calls = [("GET", "/groups/{}", None), ("PUT", "/groups/{}", {}),
                     ("DELETE", "/groups/{}", None), ("GET", "/groups/{}/documents", None),
                     ("POST", "/groups/{}/search", {"query": "x"})]
            calls += [(method, path.replace("groups", "documents"), body) for method, path, body in (
                ("GET", "/groups/{}", None), ("PUT", "/groups/{}", {"filename": "b.txt"}),
                ("DELETE", "/groups/{}", None), ("GET", "/groups/{}/download", None))]
            for method, path, body in calls:
                own = group_id if path.startswith("/groups") else document_id
                reply = self.call(method, path.format(own), body, key)
                self.assert_refused(reply, 404, "Not Found")
                nothing = self.call(method, path.format(NOBODY), body, key)
                self.assertEqual(reply.body, nothing.body)
            headers, body = form("a.txt", "x")
            reply = self.call("POST", f"/groups/{group_id}/documents", body, key, headers)
            self.assert_refused(reply, 404, "Not Found")


if __name__ == "__main__":
    main()
