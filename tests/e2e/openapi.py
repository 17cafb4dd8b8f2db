"""api/openapi.yaml as the tests read it: a strict reader for the part of YAML that it is written
in, its operations, and a check of answers against its schemas. Standard library only.

The part of YAML: block mappings and lists, flow lists and mappings on one line, `>-` texts, plain
and double-quoted scalars, anchors of blocks, comments on lines of their own. Anything else is an
error.

SPDX-License-Identifier: Apache-2.0
"""

import json
import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[2]
METHODS = ("get", "post", "put", "patch", "delete", "options")


class Yaml:
    """One text; `read(text)` gives its value."""

    def __init__(self, text):
        self.lines = []
        for number, line in enumerate(text.split("\n"), 1):
            if "\t" in line:
                raise ValueError(f"line {number}: a tab")
            if line.strip() and not line.lstrip().startswith("#"):
                self.lines.append((number, len(line) - len(line.lstrip()), line.strip()))
        self.at = 0
        self.anchors = {}

    def fail(self, words):
        number = self.lines[min(self.at, len(self.lines) - 1)][0]
        raise ValueError(f"line {number}: {words}")

    def block(self, indent):
        _, found, text = self.lines[self.at]
        if found != indent:
            self.fail("an indentation that opens nothing")
        return self.sequence(indent) if text.startswith("- ") else self.mapping(indent)

    def sequence(self, indent):
        items = []
        while self.here(indent) and self.lines[self.at][2].startswith("- "):
            number, _, text = self.lines[self.at]
            rest = text[2:].strip()
            if re.match(r'^("[^"]*"|[^\s"{\[]\S*):( |$)', rest):
                self.lines[self.at] = (number, indent + 2, rest)
                items.append(self.mapping(indent + 2))
            else:
                self.at += 1
                items.append(self.scalar(rest, indent))
        return items

    def here(self, indent):
        return self.at < len(self.lines) and self.lines[self.at][1] == indent

    def mapping(self, indent):
        members = {}
        while self.here(indent) and not self.lines[self.at][2].startswith("- "):
            text = self.lines[self.at][2]
            match = re.match(r'^("[^"]*"|[^\s"{\[][^:]*):(?: (.*))?$', text)
            if not match:
                self.fail(f"no member: {text}")
            name = json.loads(match[1]) if match[1].startswith('"') else match[1]
            if name in members:
                self.fail(f"{name} twice")
            self.at += 1
            members[name] = self.value((match[2] or "").strip(), indent)
        if self.at < len(self.lines) and self.lines[self.at][1] > indent:
            self.fail("an indentation that opens nothing")
        return members

    def value(self, text, indent):
        deeper = self.at < len(self.lines) and self.lines[self.at][1] > indent
        if re.fullmatch(r"&\w+", text) and deeper:
            self.anchors[text[1:]] = self.block(self.lines[self.at][1])
            return self.anchors[text[1:]]
        if re.fullmatch(r"\*\w+", text):
            return self.anchors[text[1:]]
        if text == ">-":
            words = []
            while self.at < len(self.lines) and self.lines[self.at][1] > indent:
                words.append(self.lines[self.at][2])
                self.at += 1
            return " ".join(words)
        if text:
            return self.scalar(text, indent)
        if deeper:
            return self.block(self.lines[self.at][1])
        if self.here(indent) and self.lines[self.at][2].startswith("- "):
            return self.sequence(indent)
        return None

    def scalar(self, text, _):
        if text[0] in "[{":
            value, rest = self.flow(text)
            if rest.strip():
                self.fail(f"after a flow value: {rest}")
            return value
        if text[0] == '"':
            return json.loads(text)
        if text[0] in "'&*!|>%@`" or ": " in text or " #" in text:
            self.fail(f"this text needs quotes: {text}")
        return plain(text)

    def flow(self, text):
        """One flow value at the start of `text`, and what follows it."""
        if text[0] == '"':
            value, end = json.JSONDecoder().raw_decode(text)
            return value, text[end:]
        if text[0] not in "[{":
            match = re.match(r"[^,\[\]{}]+", text)
            return plain(match[0].strip()), text[match.end() :]
        is_list, rest = text[0] == "[", text[1:].lstrip()
        value = [] if is_list else {}
        while rest[:1] not in "]}":
            if is_list:
                item, rest = self.flow(rest)
                value.append(item)
            else:
                match = re.match(r'("[^"]*"|[^:,{}\[\]]+):\s*', rest)
                if not match:
                    self.fail(f"no member: {rest}")
                name = json.loads(match[1]) if match[1].startswith('"') else match[1]
                value[name], rest = self.flow(rest[match.end() :])
            rest = rest.lstrip()
            if rest[:1] == ",":
                rest = rest[1:].lstrip()
            elif rest[:1] not in ("]", "}"):
                self.fail(f"a flow value that does not end: {text}")
        return value, rest[1:]


def plain(text):
    if text in ("true", "false"):
        return text == "true"
    if text == "null":
        return None
    if re.fullmatch(r"-?\d+", text):
        return int(text)
    if re.fullmatch(r"-?\d+\.\d+", text):
        return float(text)
    return text


def read_yaml(text):
    reader = Yaml(text)
    value = reader.block(0)
    if reader.at != len(reader.lines):
        reader.fail("this belongs to nothing")
    return value


class Description:
    """The operations of api/openapi.yaml, by (METHOD, path template)."""

    def __init__(self, path=ROOT / "api" / "openapi.yaml"):
        self.root = read_yaml(path.read_text())
        self.operations = {}
        for template, item in self.root["paths"].items():
            for method in METHODS:
                if method in item:
                    self.operations[method.upper(), template] = item[method]

    def resolve(self, node):
        while isinstance(node, dict) and "$ref" in node:
            target = self.root
            for part in node["$ref"].removeprefix("#/").split("/"):
                target = target[part]
            node = target
        return node

    def statuses(self, operation):
        return {int(status) for status in self.operations[operation]["responses"]}

    def faults(self, operation, reply):
        """What is wrong with an answer, as a list of sentences; empty: nothing."""
        responses = self.operations[operation]["responses"]
        if str(reply.status) not in responses:
            return [f"status {reply.status} is not described: {reply.body[:300]!r}"]
        response = self.resolve(responses[str(reply.status)])
        faults = []
        for name, header in response.get("headers", {}).items():
            schema = self.resolve(header)["schema"]
            value = reply.headers.get(name)
            if value is None:
                faults.append(f"the field {name} is missing")
            elif schema["type"] == "integer" and not value.isdigit():
                faults.append(f"the field {name} is no number: {value}")
        content = response.get("content")
        kind = (reply.headers.get("Content-Type") or "").split(";")[0]
        if content is None:
            return faults + (["a body that is not described"] if reply.body else [])
        if kind not in content:
            return [*faults, f"Content-Type {kind} is not described"]
        if kind == "application/json" or kind.endswith("+json"):
            faults += self.mismatches(json.loads(reply.body), content[kind]["schema"], "body")
        return faults

    def mismatches(self, value, schema, where):
        schema = self.resolve(schema)
        if "oneOf" in schema:
            tried = [self.mismatches(value, one, where) for one in schema["oneOf"]]
            return [] if [] in tried else tried[0]
        if "allOf" in schema:
            merged = {"type": "object", "properties": {}, "required": []}
            for one in map(self.resolve, schema["allOf"]):
                merged["properties"] |= one.get("properties", {})
                merged["required"] += one.get("required", [])
            return self.mismatches(value, merged, where)
        kinds = schema.get("type", [])
        kinds = [kinds] if isinstance(kinds, str) else kinds
        if kinds and not any(is_of_kind(value, kind) for kind in kinds):
            return [f"{where} is {json.dumps(value)[:80]} and not {' or '.join(kinds)}"]
        if "enum" in schema and value not in schema["enum"]:
            return [f"{where} is {value!r} and not of {schema['enum']}"]
        if isinstance(value, str) and not re.search(schema.get("pattern", ""), value):
            return [f"{where} is {value!r}, which does not fit {schema['pattern']}"]
        if isinstance(value, list):
            items = schema.get("items", {})
            return [fault for index, item in enumerate(value)
                    for fault in self.mismatches(item, items, f"{where}[{index}]")]
        return self.object_mismatches(value, schema, where) if isinstance(value, dict) else []

    def object_mismatches(self, value, schema, where):
        """Members that are not described are wrong, unless `additionalProperties` allows them."""
        faults = [f"{where} lacks {name}" for name in schema.get("required", [])
                  if name not in value]
        known, others = schema.get("properties", {}), schema.get("additionalProperties", False)
        for name, member in value.items():
            if name in known:
                faults += self.mismatches(member, known[name], f"{where}.{name}")
            elif others is False:
                faults.append(f"{where}.{name} is not described")
            elif isinstance(others, dict):
                faults += self.mismatches(member, others, f"{where}.{name}")
        return faults


def is_of_kind(value, kind):
    if kind == "null":
        return value is None
    if kind in ("integer", "number"):
        numbers = int if kind == "integer" else (int, float)
        return isinstance(value, numbers) and not isinstance(value, bool)
    wanted = {"string": str, "boolean": bool, "object": dict, "array": list}[kind]
    return isinstance(value, wanted)
