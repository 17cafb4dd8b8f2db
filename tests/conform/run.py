"""The vendors' published clients, unmodified, against the real binary: `./dev conform`.

Prints a line for each check and at the end `N passed, N failed, N skipped`. A client that cannot
be had here is skipped and said to be; the exit code is 0 only if the Python SDK ran and nothing
failed.

Environment: STAGEDOOR names the binary. SPATIUS_GO_SDK may name a checkout of the vendor's Go SDK,
for machines whose module proxy does not serve it. STAGEDOOR_DOCUMENTS, or `--documents FOLDER`,
names the folder of the vendors' documents whose samples are run (documents.py). CONFORM_ONLY picks, of our own checks, those
whose words contain it.

SPDX-License-Identifier: Apache-2.0
"""

import contextlib
import json
import os
import pathlib
import shutil
import sqlite3
import subprocess
import sys
import venv

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
WORK = ROOT / "build" / "conform"
sys.path[:0] = [str(HERE), str(ROOT / "tests" / "e2e")]

import documents  # noqa: E402
import networks  # noqa: E402
import node_packages  # noqa: E402
import npm  # noqa: E402
import samples  # noqa: E402
from harness import Server  # noqa: E402
from identity_provider import Issuer  # noqa: E402
from speech import front_center  # noqa: E402

SDK = "spatius==1.1.1"
GO_MODULE = "github.com/spatius-ai/spatius-sdk-go"
NPM_PACKAGE = "@spatius/server-sdk"
OTHER_APP_ID = "app_conformance_other"


class Tally:
    def __init__(self):
        self.counts = {"ok": 0, "FAIL": 0, "skip": 0}

    def say(self, outcome, words):
        self.counts[outcome] += 1
        print(f"{outcome:<4} {words}", flush=True)

    def take(self, line):
        """A line that a conformance program printed."""
        outcome = line.split(" ", 1)[0]
        if outcome in self.counts:
            self.counts[outcome] += 1
        print(line, flush=True)

    def summary(self):
        return "{ok} passed, {FAIL} failed, {skip} skipped".format(**self.counts)


def environment(name, requirements):
    """A virtual environment with the packages of a requirements file; None with a reason if not."""
    folder = WORK / name
    python = folder / "bin" / "python"
    wanted = (HERE / requirements).read_text()
    mark = folder / "installed.txt"
    if mark.exists() and mark.read_text() == wanted:
        return python, ""
    print(f"== installing {requirements} into build/conform/{name}", file=sys.stderr, flush=True)
    shutil.rmtree(folder, ignore_errors=True)
    venv.create(folder, with_pip=True)
    done = subprocess.run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
                           "-r", HERE / requirements], capture_output=True, text=True)
    if done.returncode != 0:
        return None, (done.stderr.strip().splitlines() or ["pip failed"])[-1]
    mark.write_text(wanted)
    return python, ""


def source_of_sdk(python):
    """The unpacked source package of the SDK, with the vendor's own tests; None if not had."""
    folder = WORK / "source"
    name = SDK.replace("==", "-")
    if (folder / name / "tests").is_dir():
        return folder / name
    done = subprocess.run([python, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary",
                           ":all:", "--disable-pip-version-check", "-d", folder, SDK],
                          capture_output=True, text=True)
    if done.returncode != 0:
        return None
    shutil.unpack_archive(folder / f"{name}.tar.gz", folder)
    return folder / name


def endpoints(server):
    return {
        "SPATIUS_CONSOLE_ENDPOINT": f"http://127.0.0.1:{server.port}/v1/console",
        "SPATIUS_INGRESS_ENDPOINT": f"ws://127.0.0.1:{server.port}/v2/driveningress",
        "SPATIUS_API_KEY": server.initialised["api_key"],
        "SPATIUS_APP_ID": server.initialised["app_id"],
        "SPATIUS_AVATAR_ID": server.initialised["avatar_id"],
    }


def add_another_app(server):
    """A second app beside the first, with its limits: the command line makes none, and a token of
    one app must not open a session of another."""
    with contextlib.closing(sqlite3.connect(server.data / "stagedoor.db")) as store, store:
        columns = [row[1] for row in store.execute("PRAGMA table_info(apps)")]
        kept = ", ".join(column for column in columns if column != "id")
        store.execute(f"INSERT INTO apps (id, {kept}) SELECT ?, {kept} FROM apps", (OTHER_APP_ID,))


def run_program(tally, client, python, program, settings):
    """Runs one of our conformance programs and takes its lines."""
    before = sum(tally.counts.values())
    process = subprocess.Popen([python, HERE / program], stdout=subprocess.PIPE, text=True,
                               env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1", **settings})
    for line in process.stdout:
        tally.take(line.rstrip("\n"))
    status = process.wait()
    ran_nothing = sum(tally.counts.values()) == before and "CONFORM_ONLY" not in os.environ
    if status not in (0, 1) or ran_nothing:
        tally.say("FAIL", f"{client}: {program} ended with {status}")


def run_vendor_tests(tally, python, source, server):
    """The end-to-end tests in the SDK's source package, as the vendor runs them, in each format."""
    speech = WORK / "speech_16000.pcm"
    speech.write_bytes(front_center().at(16000).times(14).pcm)
    common = {
        "SPATIUS_RUN_E2E": "1",
        "SPATIUS_E2E_CONSOLE_ENDPOINT": endpoints(server)["SPATIUS_CONSOLE_ENDPOINT"],
        "SPATIUS_E2E_INGRESS_ENDPOINT": endpoints(server)["SPATIUS_INGRESS_ENDPOINT"],
        "SPATIUS_E2E_API_KEY": server.initialised["api_key"],
        "SPATIUS_E2E_APP_ID": server.initialised["app_id"],
        "SPATIUS_E2E_AVATAR_ID": server.initialised["avatar_id"],
        "SPATIUS_E2E_AUDIO_PATH": str(speech),
        # Never connected to: the tests that use it send a token that is none.
        "SPATIUS_E2E_LIVEKIT_URL": "wss://livekit.invalid",
    }
    opus = {"SPATIUS_E2E_AUDIO_FORMAT": "ogg_opus",
            "SPATIUS_E2E_USE_INTERNAL_OGG_OPUS_ENCODER": "1"}
    for name, tests, more in (("PCM", ["test_e2e_request.py", "test_e2e_errors.py"], {}),
                              ("Ogg Opus", ["test_e2e_request.py"], opus)):
        done = subprocess.run([python, "-m", "pytest", "-q", "-rA", "--no-header", "--tb=short",
                               "-p", "no:cacheprovider", *(f"tests/{test}" for test in tests)],
                              cwd=source, capture_output=True, text=True,
                              env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1", **common, **more})
        lines = [line for line in done.stdout.splitlines()
                 if line.split(" ", 1)[0] in ("PASSED", "FAILED", "SKIPPED", "ERROR")]
        for line in lines:
            outcome, words = line.split(" ", 1)
            tally.say({"PASSED": "ok", "SKIPPED": "skip"}.get(outcome, "FAIL"),
                      f"vendor's own tests, {name}: {words.split('::')[-1]}")
        if done.returncode not in (0, 1) or not lines:
            tally.say("FAIL", f"vendor's own tests, {name}: pytest ended with {done.returncode}")
        if done.returncode != 0:
            print(done.stdout, file=sys.stderr, flush=True)


def run_go(tally, server):
    """The end-to-end tests of the vendor's Go SDK, from the module proxy or a checkout."""
    if shutil.which("go") is None:
        return tally.say("skip", "go: there is no Go on this machine")
    folder = os.environ.get("SPATIUS_GO_SDK", "")
    if not folder:
        found = subprocess.run(["go", "list", "-m", "-f", "{{.Version}}", f"{GO_MODULE}@latest"],
                               capture_output=True, text=True, cwd=WORK,
                               env={**os.environ, "GOFLAGS": "-mod=mod"})
        if found.returncode != 0:
            return tally.say("skip", f"go: the module proxy does not serve {GO_MODULE}")
        got = subprocess.run(["go", "mod", "download",
                              f"{GO_MODULE}@{found.stdout.strip()}"], cwd=WORK)
        cache = subprocess.run(["go", "env", "GOMODCACHE"], capture_output=True, text=True)
        folder = f"{cache.stdout.strip()}/{GO_MODULE}@{found.stdout.strip()}"
        if got.returncode != 0:
            return tally.say("FAIL", f"go: {GO_MODULE} is listed and cannot be downloaded")
    settings = endpoints(server)
    done = subprocess.run(["go", "test", "-count=1", "-v", "-run", "EndToEnd", "."], cwd=folder,
                          capture_output=True, text=True, env={
                              **os.environ,
                              "AVATAR_API_KEY": settings["SPATIUS_API_KEY"],
                              "AVATAR_APP_ID": settings["SPATIUS_APP_ID"],
                              "AVATAR_SESSION_AVATAR_ID": settings["SPATIUS_AVATAR_ID"],
                              "AVATAR_CONSOLE_ENDPOINT": settings["SPATIUS_CONSOLE_ENDPOINT"],
                              "AVATAR_INGRESS_ENDPOINT": settings["SPATIUS_INGRESS_ENDPOINT"]})
    outcomes = {"--- PASS:": "ok", "--- SKIP:": "skip", "--- FAIL:": "FAIL"}
    lines = [line for line in done.stdout.splitlines() if line[:9] in outcomes]
    for line in lines:
        tally.say(outcomes[line[:9]], f"go: the vendor's own test {line[9:].strip()}")
    if done.returncode != 0 or not lines:
        print(done.stdout + done.stderr, file=sys.stderr, flush=True)
        if all(line[:9] != "--- FAIL:" for line in lines):
            tally.say("FAIL", f"go: `go test` ended with {done.returncode}")


def say_npm(tally):
    if shutil.which("npm") is None:
        return tally.say("skip", "javascript: there is no npm on this machine")
    found = subprocess.run(["npm", "view", NPM_PACKAGE, "version"], capture_output=True, text=True)
    if found.returncode == 0:
        return tally.say("skip", f"javascript: {NPM_PACKAGE} {found.stdout.strip()} is not tried: "
                                 "there was none to write a program for")
    return tally.say("skip", f"javascript: the registry has no {NPM_PACKAGE}")


def check_end(tally, server):
    """The server is stopped; what it said meanwhile holds no credential."""
    key = server.initialised["api_key"]
    status = server.stop()
    tally.say("ok" if status == 0 else "FAIL", f"server: ended with {status}")
    leaked = key in server.log() or "eyJ" in server.log()
    tally.say("FAIL" if leaked else "ok", "server: its log holds neither the API key nor a token")
    if status != 0 or leaked:
        print(server.log()[-4000:], file=sys.stderr, flush=True)


def check_several_uses(tally, python):
    """The same SDK against an app whose tokens open several sessions."""
    server = Server()
    try:
        app_id = server.init()["app_id"]
        subprocess.run([server.binary, "app", "set", "--data", server.data, app_id,
                        "--token-uses", "3"], check=True, stdout=subprocess.DEVNULL)
        server.start()
        run_program(tally, "python, three uses a token", python, "spatius_python.py",
                    {**endpoints(server), "CONFORM_TOKEN_USES": "3", "CONFORM_ONLY": "prewarm"})
    finally:
        server.stop()


def check_room_tokens(tally):
    """Room tokens for LiveKit and Agora, read by the packages that those vendors publish."""
    folder, reason = npm.packages(WORK / "npm")
    if folder is None:
        return tally.say("skip", f"room tokens: {reason}")
    secrets = {"LIVEKIT_KEY": "APIconformance", "LIVEKIT_SECRET": "a secret for conformance only",
               "AGORA_APP": "970CA35de60c44645bbae8a215061b33",
               "AGORA_CERTIFICATE": "5CFd2fd1755d40ecb72977518be15d3b"}
    server = Server()
    try:
        made = subprocess.run([server.binary, "key", "create", "--app", server.init()["app_id"],
                               "--name", "rooms", "--scope", "rooms:mint", "--json", "--data",
                               server.data], check=True, capture_output=True, text=True)
        key = json.loads(made.stdout)["api_key"]
        settings = ["[rooms]", "accept_test_keys = true", 'livekit_url = "wss://livekit.invalid"',
                    f'livekit_api_key = "{secrets["LIVEKIT_KEY"]}"',
                    f'agora_app_id = "{secrets["AGORA_APP"]}"']
        for setting, name in (("livekit_secret_file", "LIVEKIT_SECRET"),
                              ("agora_certificate_file", "AGORA_CERTIFICATE")):
            file = server.data / name
            file.touch(mode=0o600)
            file.write_text(secrets[name] + "\n")
            settings.append(f'{setting} = "{file}"')
        server.settings = "\n".join(settings) + "\n"
        server.start()
        run_program(tally, "room tokens", "node", "room_tokens.mjs",
                    {**secrets, "NPM_FOLDER": str(folder), "STAGEDOOR_KEY": key,
                     "STAGEDOOR_URL": server.address})
    finally:
        server.stop()


@contextlib.contextmanager
def document_of_live_face(server, packages):
    """What anam_live.mjs is told of the vendor's document: its page and its running server."""
    folder = documents.folder_of_documents()
    if folder is None or packages is None:
        yield {}
        return
    found = samples.fenced((folder / documents.ANAM).read_text())
    page = WORK / "document-page.ts"
    page.write_text(samples.containing(found, "streamToVideoElement").code)
    printed = documents.Documents(None, folder, server, documents.Node(packages), None)
    with printed.anam_serving(samples.named(found, "server.js")) as address:
        yield {"DOCUMENT_PAGE": str(page), "DOCUMENT_SERVER": address}


def check_live_face(tally):
    """The vendor's client in Chromium, against the live face."""
    packages, reason = npm.packages(WORK / "npm")
    if packages is None or shutil.which("chromium") is None:
        return tally.say("skip", f"live face: {reason or 'there is no chromium on this machine'}")
    node_packages.install()
    server = Server()
    try:
        settings = {"SCREENSHOTS": str(WORK / "screenshots"),
                    "STAGEDOOR_KEY": server.init()["api_key"]}
        server.start()
        settings["STAGEDOOR_URL"] = server.address
        with document_of_live_face(server, packages) as document:
            run_program(tally, "live face", "node", "anam_live.mjs", {**settings, **document})
        check_end(tally, server)
    finally:
        server.stop()
    try:
        networks.check(tally, os.environ["STAGEDOOR"])
    except subprocess.CalledProcessError as error:
        tally.say("skip", f"networks: they can't be made here ({error.stderr})")


def check_documents(tally):
    """The code samples, errors and tables of the vendors' documents."""
    folder = documents.folder_of_documents()
    if folder is None:
        return tally.say("skip", "documents: not here; name their folder with --documents")
    packages, reason = npm.packages(WORK / "npm")
    if packages is None:
        return tally.say("skip", f"documents: {reason}")
    issuer = Issuer()
    try:
        settings = documents.settings(folder, issuer)
        # The second one has the rate limits that hold where the settings say nothing.
        for text, run in ((settings, documents.Documents.run_samples),
                          (settings + "[limits]\n", documents.Documents.compare_limits)):
            server = Server(settings=text)
            try:
                server.init()
                server.start()
                run(documents.Documents(tally, folder, server, documents.Node(packages), issuer))
            finally:
                server.stop()
    finally:
        issuer.close()


def main():
    if "--documents" in sys.argv:
        os.environ["STAGEDOOR_DOCUMENTS"] = sys.argv[sys.argv.index("--documents") + 1]
    WORK.mkdir(parents=True, exist_ok=True)
    tally = Tally()
    python, reason = environment("python", "requirements.txt")
    if python is None:
        print(f"{SDK} cannot be installed: {reason}", file=sys.stderr)
        print("0 passed, 0 failed, 1 skipped")
        return 1
    server = Server()
    server.init()
    add_another_app(server)
    server.start()
    try:
        run_program(tally, "python", python, "spatius_python.py",
                    {**endpoints(server), "CONFORM_OTHER_APP_ID": OTHER_APP_ID})
        source = source_of_sdk(python)
        if source is None:
            tally.say("skip", "vendor's own tests: the source package cannot be had")
        else:
            run_vendor_tests(tally, python, source, server)
        livekit, reason = environment("livekit", "requirements-livekit.txt")
        if livekit is None:
            tally.say("skip", f"livekit: {reason}")
        else:
            run_program(tally, "livekit", livekit, "spatius_livekit.py", endpoints(server))
        run_go(tally, server)
        say_npm(tally)
        check_end(tally, server)
    finally:
        server.stop()
    check_several_uses(tally, python)
    check_room_tokens(tally)
    check_live_face(tally)
    check_documents(tally)
    print(tally.summary())
    return 1 if tally.counts["FAIL"] else 0


if __name__ == "__main__":
    sys.exit(main())
