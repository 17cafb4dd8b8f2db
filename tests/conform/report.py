"""How a conformance program reports: one line for each check, `ok`, `FAIL` or `skip`.

SPDX-License-Identifier: Apache-2.0
"""

import asyncio
import os
import sys
import traceback

_checks = []


class Skip(Exception):
    """What is needed for a check is not on this machine."""


def check(words):
    """Registers an async function as the check of what `words` state."""

    def register(function):
        _checks.append((words, function))
        return function

    return register


def run(client):
    """Runs the registered checks in order; of them only those whose words contain CONFORM_ONLY, if
    the environment has it. Exit code 1 if one failed."""
    failed = 0
    only = os.environ.get("CONFORM_ONLY", "")
    for words, function in _checks:
        if only not in words:
            continue
        try:
            asyncio.run(asyncio.wait_for(function(), timeout=120))
        except Skip as reason:
            print(f"skip {client}: {words} ({reason})", flush=True)
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt):
                raise
            failed += 1
            print(f"FAIL {client}: {words}: {type(error).__name__}: {error}", flush=True)
            traceback.print_exc(limit=-2, file=sys.stderr)
        else:
            print(f"ok   {client}: {words}", flush=True)
    sys.exit(1 if failed else 0)


def demand(holds, words):
    """An assertion that `python -O` does not remove."""
    if not holds:
        raise AssertionError(words)


def demand_equal(got, wanted, words):
    demand(got == wanted, f"{words}: {got!r} instead of {wanted!r}")
