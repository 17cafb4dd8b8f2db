"""Lists that show the newest first, against the real binary: pages of things that were made as fast
as one client can, and what an earlier version has left.

SPDX-License-Identifier: Apache-2.0
"""

import contextlib
import sqlite3
import unittest

from app_walls_test import App, GROUPS, KINDS
from cases import Stage, main
from former_shape import put_back
from knowledge_test import form

MANY = 25


class Lists:
    """The lists of one app: what makes a thing, and the ids that a list shows, page by page."""

    def __init__(self, server):
        self.app = App(server, server.app_id)
        self.persona, self.group = (self.made(KINDS[kind][0], KINDS[kind][1])
                                    for kind in ("persona", "group"))
        self.calls = {
            "persona": self.numbered("persona"), "tool": self.numbered("tool"),
            "llm": self.numbered("llm"), "avatar": self.numbered("avatar"),
            "link": self.numbered("link", {"personaId": self.persona}),
            "group": (lambda: self.made(GROUPS, KINDS["group"][1]), lambda: self.whole(GROUPS)),
            "document": (self.document, lambda: self.whole(f"{GROUPS}/{self.group}/documents")),
            "conversation": (lambda: self.made("/v1/conversations", {}),
                             lambda: self.by_cursor("/v1/conversations")),
            "key": (lambda: self.made("/v1/keys", {"name": "k"}),
                    lambda: self.by_cursor("/v1/keys")),
        }

    def told(self, method, path, body=None, kind="", **headers):
        reply = self.app.call(method, path, body, kind, **headers)
        assert reply.status in (200, 201), (path, reply.status, reply.body)
        return reply.json()

    def made(self, path, body, kind="", **headers):
        told = self.told("POST", path, body, kind, **headers)
        return told["id"] if "id" in told else told["data"]["id"]

    def numbered(self, kind, body=None):
        path, usual, _ = KINDS[kind]

        def pages():
            ids, number = [], 1
            while number is not None:
                page = self.told("GET", f"{path}?perPage=10&page={number}", None, kind)
                # What is built in stands behind a workspace's own.
                ids += [one["id"] for one in page["data"]
                        if one.get("createdByOrganizationId", "ours") is not None]
                number = page["meta"]["next"]
            return ids

        return lambda: self.made(path, body or usual, kind), pages

    def document(self):
        head, content = form("a.md", "The dogs bark at nine.\n")
        return self.made(f"{GROUPS}/{self.group}/documents", content, **head)

    def whole(self, path):
        return [one["id"] for one in self.told("GET", path)]

    def by_cursor(self, path):
        ids, query = [], "?limit=10"
        while True:
            page = self.told("GET", path + query)
            ids += [one["id"] for one in page["data"]]
            if page["next"] is None:
                return ids
            query = "?limit=10&cursor=" + page["next"]


# Rule list-in-order-of-making.
class Order(unittest.TestCase):
    def test_what_was_made_later_stands_before_what_was_made_earlier_once(self):
        with Stage() as server:
            for kind, (make, listed) in Lists(server).calls.items():
                with self.subTest(kind):
                    before = listed()
                    made = [make() for _ in range(MANY)]
                    self.assertEqual(listed(), made[::-1] + before)

    def test_what_an_earlier_version_left_keeps_its_order_and_the_next_stands_before_it(self):
        with Stage() as server:
            lists = Lists(server)
            for make, _ in lists.calls.values():
                for _ in range(3):
                    make()
            before = {kind: listed() for kind, (_, listed) in lists.calls.items()}
            server.halt()
            path = server.data / "stagedoor.db"
            with contextlib.closing(sqlite3.connect(path)) as store, store:
                for table in ("personas", "catalog_items", "documents", "share_links", "avatars",
                              "conversations", "api_keys"):
                    # An earlier version told the order by these times.
                    store.execute(f"UPDATE {table} SET created_at = 1000 * number")
            put_back(path, "0011")
            server.start()
            for kind, (make, listed) in lists.calls.items():
                with self.subTest(kind):
                    self.assertEqual(listed(), before[kind])
                    self.assertEqual([make()] + before[kind], listed())


if __name__ == "__main__":
    main()
