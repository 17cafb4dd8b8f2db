"""Code samples, JSON and tables out of the text of a vendor's document, as they stand there.

The documents themselves are not part of this repository; nothing of their text is kept here.

SPDX-License-Identifier: Apache-2.0
"""

import dataclasses
import json
import re
import textwrap


@dataclasses.dataclass
class Sample:
    language: str
    name: str  # the file that the document says it is, or ""
    code: str


def fenced(text):
    """The samples between ``` fences, in their order; an indented fence's content is dedented."""
    pattern = re.compile(r"^([ \t]*)```(\w+)([^\n]*)\n(.*?)^\1```\s*$", re.M | re.S)
    samples = []
    for _, language, rest, code in pattern.findall(text):
        name = re.match(r"\s*([\w.]+\.\w+|\.\w+)", rest)
        samples.append(Sample(language, name.group(1) if name else "", textwrap.dedent(code)))
    return samples


def named(samples, name):
    """The one sample of that file name."""
    (sample,) = [sample for sample in samples if sample.name == name]
    return sample


def containing(samples, words):
    (sample,) = [sample for sample in samples if words in sample.code]
    return sample


def after(text, line, until):
    """The lines after one that is exactly `line`, up to and with the first that is exactly
    `until`: for documents that came without fences."""
    lines = text.split("\n")
    start = lines.index(line) + 1
    return "\n".join(lines[start : lines.index(until, start) + 1]) + "\n"


def line_after(text, line):
    lines = text.split("\n")
    return lines[lines.index(line) + 1]


def json_after(text, heading):
    """The first JSON object after a line that is exactly `heading`."""
    rest = text[text.index(f"\n{heading}\n") :]
    return json.JSONDecoder().raw_decode(rest[rest.index("{") :])[0]


def rates(text):
    """Rows such as `API Key (Free)10/min20`: {name: (calls a minute, burst)}."""
    rows = re.findall(r"^([^\d\n]+?)(\d+)/min(\d+)$", text, re.M)
    return {name.strip(): (int(count), int(burst)) for name, count, burst in rows}


def attempts(text):
    """Rows such as `Login attempts10 attempts1 minute`: {name: (count, minutes)}."""
    rows = re.findall(r"^([^\d\n]+?)(\d+) (?:attempts|accounts)(\d+) minutes?$", text, re.M)
    return {name.strip(): (int(count), int(minutes)) for name, count, minutes in rows}


def variables(text):
    """The lines NAME=value of an env file, without their comments."""
    rows = re.findall(r"^([A-Z][A-Z0-9_]*)=(\S*)", text, re.M)
    return dict(rows)
