"""api/openapi.yaml against the running server: its routes both ways, and a real answer of every
status of every operation, checked against its schema.

SPDX-License-Identifier: Apache-2.0
"""

import json
import pathlib
import re
import unittest

import openapi
from cases import main
from openapi_world import World

# What the dialects speak is told in files of their own.
DIALECTS = [openapi.ROOT / "api" / f"{name}.md" for name in ("spatius", "anam", "avatarium")]


def dialect_routes():
    """What the dialects' files name as `METHOD /path`, query and all that follows left out."""
    named = set()
    for path in filter(pathlib.Path.exists, DIALECTS):
        for method, route in re.findall(r"`([A-Z]+) (/[^`\s?]*)", path.read_text()):
            named.add((method, route))
    return named


class Routes(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.description = openapi.Description()
        with World() as world:
            world.halt()
            listed = json.loads(world.routes())
        cls.served = {(route["method"], route["path"]) for route in listed}

    def test_every_route_of_our_own_is_described_and_every_dialects_is_named(self):
        page_files = {("GET", path) for path in self.description.root["x-page-files"]}
        described = set(self.description.operations) | page_files
        self.assertEqual(self.served - described - dialect_routes(), set())

    def test_everything_described_is_served(self):
        page_files = {("GET", path) for path in self.description.root["x-page-files"]}
        self.assertEqual((set(self.description.operations) | page_files) - self.served, set())

    def test_a_dialects_route_is_not_described_as_our_own_too(self):
        self.assertEqual(set(self.description.operations) & dialect_routes(), set())


class Document(unittest.TestCase):
    def setUp(self):
        self.description = openapi.Description()

    def test_operations_have_one_id_each_and_say_what_they_are(self):
        ids = [operation["operationId"] for operation in self.description.operations.values()]
        self.assertEqual(len(ids), len(set(ids)))
        for name, operation in self.description.operations.items():
            self.assertTrue(operation["summary"].endswith("."), name)
            self.assertEqual(len(operation["tags"]), 1, name)

    def test_parts_of_a_path_are_described(self):
        for (_, path), operation in self.description.operations.items():
            said = [p["name"] for p in operation.get("parameters", []) if p.get("in") == "path"]
            self.assertEqual(said, re.findall(r"\{(\w+)\}", path))

    def test_statuses_that_follow_from_what_an_operation_is_are_described(self):
        for name, operation in self.description.operations.items():
            implied = set()
            if "security" not in operation:
                implied |= {401, 429}
                if operation.get("x-callers") != "API keys":
                    implied.add(503)  # the issuer of a person's token does not answer
            if "x-permission" in operation:
                implied.add(403)
            if operation.get("x-audit"):
                implied.add(503)  # what it does can't be recorded
            if "requestBody" in operation:
                implied.add(400)
            if "{" in name[1]:
                implied.add(404)
            self.assertEqual(implied - self.description.statuses(name), set(), name)

    # Rule audit-one-word.
    def test_an_audit_entry_is_one_of_the_words_of_the_log(self):
        known = (openapi.ROOT / "src/rules/audit_action.cc").read_text()
        for name, operation in self.description.operations.items():
            if operation.get("x-audit"):
                self.assertIn(f'"{operation["x-audit"]}",', known, name)

    def test_what_changes_something_names_its_audit_entry_or_says_that_it_leaves_none(self):
        for name, operation in self.description.operations.items():
            self.assertTrue(name[0] == "GET" or "x-audit" in operation, name)

    def test_every_reference_leads_somewhere(self):
        def walk(node):
            if isinstance(node, dict):
                if "$ref" in node:
                    self.assertIsNotNone(self.description.resolve(node))
                for member in node.values():
                    walk(member)
            elif isinstance(node, list):
                for member in node:
                    walk(member)

        walk(self.description.root)

    def test_our_reader_reads_what_a_yaml_library_reads(self):
        try:
            import yaml
        except ImportError:
            self.skipTest("there is no YAML library to compare with")
        text = (openapi.ROOT / "api" / "openapi.yaml").read_text()
        self.assertEqual(openapi.read_yaml(text), yaml.safe_load(text))


class Answers(unittest.TestCase):
    maxDiff = None

    # Rule audit-fail-closed.
    # Rule rate-limit-told.
    def test_every_status_of_every_operation_is_answered_and_fits_its_schema(self):
        description = openapi.Description()
        with World() as world:
            world.call_everything(description)
        self.assertEqual(world.faults, [])
        audited = {operation["operationId"] for operation in description.operations.values()
                   if operation.get("x-audit")}
        self.assertEqual(audited - world.recorded, set(), "no call showed their audit entry")
        described = {
            (name, status)
            for name in description.operations
            for status in description.statuses(name)
        }
        unshown = described - world.seen - set(world.shown_elsewhere())
        self.assertEqual(sorted(unshown), [], "no call got these")
        for test in world.shown_elsewhere().values():
            name, function = test.split("::")
            text = (pathlib.Path(__file__).parent / name).read_text()
            self.assertIn(f"def {function}(", text, name)


if __name__ == "__main__":
    main()
