"""Runs the code samples of the vendors' documents against our binary, as printed but for the host,
the key and, where a sample needs one, the identity provider.

The documents are not part of this repository. STAGEDOOR_DOCUMENTS names the folder that holds them
(`./dev conform --documents FOLDER`; by default the folder `shared/seeds` beside this repository).

SPDX-License-Identifier: Apache-2.0
"""

import base64
import contextlib
import json
import os
import pathlib
import re
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request
import zlib

import samples

PATIENCE_S = 30
ANAM = "anam-authentication.txt"
AVATARIUM = "avatarium-authentication.txt"
SPATIUS = "spatius-credentials.txt"


def folder_of_documents():
    named = os.environ.get("STAGEDOOR_DOCUMENTS", "")
    root = pathlib.Path(__file__).resolve().parents[2]
    for folder in [pathlib.Path(named)] if named else [root.parent / "shared" / "seeds",
                                                       root.parents[1] / "shared" / "seeds"]:
        if (folder / ANAM).is_file():
            return folder
    return None


def demand(holds, words):
    if not holds:
        raise AssertionError(words)


def ask(method, url, headers=None, body=None):
    """Status, headers and JSON of one request; `body` goes as JSON."""
    data = None if body is None else json.dumps(body).encode()
    headers = {**({"Content-Type": "application/json"} if data else {}), **(headers or {})}
    request = urllib.request.Request(url, data=data, headers=headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as reply:
            return reply.status, reply.headers, json.loads(reply.read() or b"null")
    except urllib.error.HTTPError as reply:
        return reply.code, reply.headers, json.loads(reply.read() or b"null")


def claims_of(token):
    demand(token.count(".") == 2, "the token is not in three parts")
    payload = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Node:
    """Writes programs beside the npm packages and runs them."""

    def __init__(self, npm_folder):
        self.folder = npm_folder / "documents"
        self.folder.mkdir(exist_ok=True)
        self.tsx = npm_folder / "node_modules" / "tsx" / "dist" / "cli.mjs"

    def write(self, name, text):
        path = self.folder / name
        path.write_text(text)
        return path

    def command(self, path):
        program = ["node", str(self.tsx)] if path.suffix in (".ts", ".mts") else ["node"]
        return [*program, str(path)]

    def run(self, path, env):
        return subprocess.run(self.command(path), capture_output=True, text=True, cwd=self.folder,
                              timeout=PATIENCE_S, env={**os.environ, **env})

    @contextlib.contextmanager
    def serving(self, path, env):
        """The program, once it has said that it listens."""
        process = subprocess.Popen(self.command(path), stdout=subprocess.PIPE, text=True,
                                   stderr=subprocess.STDOUT, cwd=self.folder,
                                   env={**os.environ, **env})
        said, ready = [], threading.Event()

        def read():
            for line in process.stdout:
                said.append(line)
                if "Server running" in line:
                    ready.set()
            ready.set()

        reader = threading.Thread(target=read, daemon=True)
        reader.start()
        try:
            ready.wait(PATIENCE_S)
            demand(process.poll() is None and said, f"it did not start: {''.join(said)}")
            yield
        finally:
            process.terminate()
            process.wait()
            reader.join()


def unknown_key():
    """A key in the right form, with a checksum that holds, that nobody made."""
    digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    body = "av_live_" + "A" * 31
    number, checksum = zlib.crc32(body.encode()), ""
    for _ in range(6):
        number, digit = divmod(number, 62)
        checksum = digits[digit] + checksum
    return body + checksum


def settings(folder, issuer):
    """Settings that the documents' samples need: the identity provider that they name."""
    text = (folder / AVATARIUM).read_text()
    project = samples.json_after(text, "Example JWT Claims")["aud"]
    return ("[people]\nallow_private_issuers = true\n[[people.issuers]]\n"
            f'preset = "firebase"\nproject = "{project}"\njwks_url = "{issuer.url}"\n')


class Documents:
    """The checks: of the samples and errors, and, on a server with the limits that hold by default,
    of the tables of limits."""

    def __init__(self, tally, folder, server, node, issuer):
        self.tally, self.folder, self.server, self.node = tally, folder, server, node
        self.issuer = issuer
        self.key = server.initialised["api_key"]
        # Where a credential is looked at; Avatarium's own where there is one.
        self.some_path = "/v1/live-sessions"

    def is_served(self, path):
        """Whether there is anything at a path: 404 means that there is not."""
        return ask("GET", self.server.address + path)[0] != 404

    def run_samples(self):
        self.spatius()
        text = self.text(AVATARIUM)
        self.check("Avatarium, a key of ours has the printed format", self.key_format, text)
        self.check("Avatarium, route.ts reads with its key", self.route_ts, text)
        self.skip("Avatarium, the React components (their package is not in the registry)")
        for run, path, whose in ((self.anam, "/v1/auth/session-token", "Anam's"),
                                 (self.avatarium, "/v1/conversations", "Avatarium's")):
            if self.is_served(path):
                run()
            else:
                self.skip(f"the rest of {whose} (this binary does not answer {path})")

    def compare_limits(self):
        text = self.text(AVATARIUM)
        self.check("Avatarium, the rates of the table are those that the headers tell",
                   self.rate_table, text)
        if not self.is_served("/v1/login"):
            return self.skip("Avatarium, the table of operations (this binary has no log-in)")
        self.check("Avatarium, log-ins, passwords and accounts have the limits of the table",
                   self.attempts_table, text)

    def check(self, words, function, *arguments):
        try:
            function(*arguments)
        except Exception as error:  # whatever a sample does wrong is this check's failure
            self.tally.say("FAIL", f"documents: {words}: {type(error).__name__}: {error}")
        else:
            self.tally.say("ok", f"documents: {words}")

    def skip(self, words):
        self.tally.say("skip", f"documents: {words}")

    def text(self, name):
        return (self.folder / name).read_text()

    # The second document's.

    def anam(self):
        text = self.text(ANAM)
        found = samples.fenced(text)
        for name in ("server.js", "server.ts"):
            sample = samples.named(found, name)
            self.check(f"Anam, {name} mints a session token", self.anam_server, sample)
            self.check(f"Anam, {name} hears a refusal as the sample expects it",
                       self.anam_server_refused, sample)
        self.check("Anam, .env and config.js give what minting needs", self.anam_config, found)
        self.check("Anam, a persona for each user", self.anam_personal, found)
        self.check("Anam, a persona for each context", self.anam_contexts, found)
        self.check("Anam, the client's SDK takes the token that server.js minted",
                   self.anam_client, found)

    def anam_program(self, sample, port):
        """The sample with our host and a free port in place of the printed ones."""
        code = sample.code.replace("https://api.anam.ai", self.server.address)
        demand(self.server.address in code, "the sample names no host")
        code, count = re.subn(r"app\.listen\(3000\b", f"app.listen({port}", code)
        demand(count == 1, "the sample listens nowhere")
        return self.node.write("anam-" + sample.name, code)

    @contextlib.contextmanager
    def anam_serving(self, sample):
        """The document's Express server against our binary; its address."""
        port = free_port()
        with self.node.serving(self.anam_program(sample, port), {"ANAM_API_KEY": self.key}):
            yield f"http://127.0.0.1:{port}"

    def anam_server(self, sample):
        with self.anam_serving(sample) as address:
            status, _, body = ask("POST", f"{address}/api/session-token", body={})
        demand(status == 200, f"{status} {body}")
        self.anam_token(body["sessionToken"])
        return body["sessionToken"]

    def anam_token(self, token):
        claims = claims_of(token)
        demand(claims.get("type") == "ephemeral", f"type {claims.get('type')}")
        ahead = claims["exp"] - time.time()
        demand(3500 < ahead <= 3600, f"it ends in {ahead:.0f} s instead of an hour")

    def anam_server_refused(self, sample):
        port = free_port()
        wrong = self.key[:-1] + ("A" if self.key[-1] != "A" else "B")
        with self.node.serving(self.anam_program(sample, port), {"ANAM_API_KEY": wrong}):
            status, _, body = ask("POST", f"http://127.0.0.1:{port}/api/session-token", body={})
        demand(status == 401 and body == {"error": "Token creation failed"}, f"{status} {body}")

    def anam_config(self, found):
        env = samples.variables(samples.named(found, ".env").code)
        demand("ANAM_API_KEY" in env, "the .env sample names no key")
        env["ANAM_API_KEY"] = self.key
        config = self.node.write("config.js", samples.named(found, "config.js").code)
        ids = self.anam_ids()
        program = self.node.write("use-config.js", f"""
            const config = require({json.dumps(str(config))});
            fetch(`${{config.anamApiUrl}}/v1/auth/session-token`, {{
              method: "POST",
              headers: {{ "Content-Type": "application/json",
                         Authorization: `Bearer ${{config.anamApiKey}}` }},
              body: JSON.stringify({{ personaConfig: {json.dumps({"name": "Cara", **ids})} }}),
            }}).then(async (reply) => console.log(reply.status, await reply.text()));
        """)
        done = self.node.run(program, {**env, "ANAM_API_URL": self.server.address})
        demand(done.stdout.startswith("200 ") and "sessionToken" in done.stdout,
               done.stdout + done.stderr)
        bare = self.node.run(program, {"ANAM_API_KEY": ""})
        demand(bare.returncode != 0, "it did not miss the key")

    def anam_ids(self):
        """The avatar, the voice and the language model that the samples print."""
        found = re.findall(r'(avatarId|voiceId|llmId): "([0-9a-f-]{36})"', self.text(ANAM))
        demand({name for name, _ in found} == {"avatarId", "voiceId", "llmId"}, f"ids {found}")
        return dict(found)

    def anam_fragment(self, sample, port):
        """A fragment with what it leaves to its reader: the app, the helpers that it calls."""
        ids = self.anam_ids()
        return self.node.write("anam-fragment.js", f"""
            const express = require("express");
            const app = express();
            app.use(express.json());
            const defaultAvatarId = "{ids["avatarId"]}", defaultVoiceId = "{ids["voiceId"]}";
            const persona = (name) => ({{ name, avatarId: defaultAvatarId, voiceId: defaultVoiceId,
              llmId: "{ids["llmId"]}", systemPrompt: `You are ${{name}}.` }});
            const authenticateUser = (req, res, next) => {{ req.user = {{ id: "7" }}; next(); }};
            const buildPersonalizedPrompt = (user) => `You speak with user ${{user.id}}.`;
            const buildSupportPersona = () => persona("support");
            const buildSalesPersona = () => persona("sales");
            const buildTrainingPersona = () => persona("training");
            const defaultPersonaConfig = persona("default");
            async function fetchAnamSessionToken(personaConfig) {{
              const reply = await fetch("{self.server.address}/v1/auth/session-token", {{
                method: "POST",
                headers: {{ "Content-Type": "application/json",
                           Authorization: `Bearer ${{process.env.ANAM_API_KEY}}` }},
                body: JSON.stringify({{ personaConfig }}),
              }});
              if (!reply.ok) throw new Error(`${{reply.status}} ${{await reply.text()}}`);
              return (await reply.json()).sessionToken;
            }}
            {sample.code}
            app.listen({port}, () => console.log("Server running"));
        """)

    def anam_personal(self, found):
        port = free_port()
        program = self.anam_fragment(samples.containing(found, "preferredAvatar"), port)
        with self.node.serving(program, {"ANAM_API_KEY": self.key}):
            status, _, body = ask("POST", f"http://127.0.0.1:{port}/api/session-token", body={})
        demand(status == 200, f"{status} {body}")
        self.anam_token(body["sessionToken"])

    def anam_contexts(self, found):
        sample = samples.containing(found, "switch (context)")
        contexts = re.findall(r'case "([^"]+)"', sample.code)
        demand(len(contexts) == 3, f"contexts {contexts}")
        port = free_port()
        with self.node.serving(self.anam_fragment(sample, port), {"ANAM_API_KEY": self.key}):
            for context in (*contexts, "another"):
                status, _, body = ask("POST", f"http://127.0.0.1:{port}/api/session-token",
                                      body={"context": context, "metadata": {}})
                demand(status == 200, f"{context}: {status} {body}")
                self.anam_token(body["sessionToken"])

    def anam_client(self, found):
        """The client's sample up to where it would open a peer connection."""
        sample = samples.containing(found, "streamToVideoElement")
        demand('from "@anam-ai/js-sdk"' in sample.code, "the sample imports another SDK")
        token = self.anam_server(samples.named(found, "server.js"))
        program = self.node.write("anam-client.mjs", f"""
            import {{ createRequire }} from "node:module";
            const {{ createClient }} = createRequire(import.meta.url)("@anam-ai/js-sdk");
            console.log(typeof createClient({json.dumps(token)}).streamToVideoElement);
        """)
        done = self.node.run(program, {})
        demand(done.stdout.strip() == "function", done.stdout + done.stderr)

    # The first document's. What its table of clients promises is run_program's in run.py.

    def spatius(self):
        text = self.text(SPATIUS)
        self.check("Spatius, the printed call mints a token, of at most the printed time",
                   self.console_call, text)
        self.check("Spatius, a token is of the region that is printed as the default",
                   self.regions, text)

        self.check("Spatius, an avatar's metadata needs an App ID and no token",
                   self.public_metadata)

    def public_metadata(self):
        first = self.server.initialised
        url = f"{self.server.address}/v2/character/{first['avatar_id']}"
        status, _, body = ask("GET", url, {"X-App-ID": first["app_id"]})
        demand(status == 200 and body["characterId"] == first["avatar_id"], f"{status} {body}")
        demand(ask("GET", url)[0] != 200, "it did not miss the App ID")

    def console_call(self, text):
        method, path = re.search(r"`(POST) (/v1/console/[\w-]+)`", text).groups()
        hours = int(re.search(r"\(max (\d+) h\)", text)[1])
        key = {"X-Api-Key": self.key}
        for seconds, wanted in ((hours * 3600 - 5, 200), (hours * 3600 + 60, 400)):
            status, _, body = ask(method, self.server.address + path, key,
                                  {"expireAt": int(time.time()) + seconds})
            demand(status == wanted, f"{seconds} s ahead gave {status} {body}")
        return path

    def regions(self, text):
        default = re.search(r"default to `([\w-]+)`", text)[1]
        _, _, body = ask("POST", self.server.address + "/v1/console/session-tokens",
                         {"X-Api-Key": self.key}, {"expireAt": int(time.time()) + 60})
        region = claims_of(body["sessionToken"])["region"]
        demand(region == default, f"{region} instead of {default}")

    # The third document's.

    def avatarium(self):
        text = self.text(AVATARIUM)
        self.some_path = "/v1/conversations/none"
        for heading, ask_for_it in (("Invalid API Key", self.with_unknown_key),
                                    ("Missing Authentication", self.without_credential)):
            self.check(f"Avatarium, the error under {heading!r} is ours, word for word",
                       self.same_error, text, heading, ask_for_it)
        self.check("Avatarium, a person's token with the printed claims is taken",
                   self.printed_claims, text)
        self.check("Avatarium, the error under 'Expired Token' is ours, word for word",
                   self.same_error, text, "Expired Token",
                   lambda: self.with_token(text, lifetime=-10))

    def key_format(self, text):
        printed = samples.line_after(text, "Key Format")
        if not printed:
            printed = next(line for line in text.split("\n") if line.startswith("av_live_x"))
        demand(len(printed) == len(self.key), f"{len(self.key)} instead of {len(printed)}")
        demand(re.fullmatch(r"av_(live|test)_[0-9A-Za-z]+", self.key), "other characters")

    def route_ts(self, text):
        sample = samples.after(text, "app/api/avatar/route.ts", "});")
        code = sample.replace("https://api.avatarium.ai", self.server.address)
        demand(code != sample, "the sample names no host")
        # The path is left open in the sample.
        code = code.replace("/v1/...", "/v1/live-sessions")
        program = self.node.write("route.ts", "export {};\n" + code +
                                  "console.log(response.status, await response.text());\n")
        env = samples.variables(text)
        demand("AVATARIUM_SECRET_KEY" in env, "the .env sample names no key")
        done = self.node.run(program.rename(program.with_suffix(".mts")),
                             {"AVATARIUM_SECRET_KEY": self.key})
        demand(done.stdout.startswith("200 "), done.stdout + done.stderr)

    def with_unknown_key(self):
        # A key in the right form that nobody has.
        return ask("GET", self.server.address + self.some_path,
                   {"Authorization": "Bearer " + unknown_key()})

    def without_credential(self):
        return ask("GET", self.server.address + self.some_path)

    def same_error(self, text, heading, ask_for_it):
        printed = samples.json_after(text, heading)
        status, _, body = ask_for_it()
        demand(status == 401, f"{status} {body}")
        demand(body.get("error") == printed["error"], f"{body} instead of {printed}")
        # The vendor's newer form adds `meta`; nothing else is beside the printed members.
        demand(set(body) <= {"error", "meta"}, f"more than was printed: {set(body)}")

    def with_token(self, text, lifetime=3600):
        printed = samples.json_after(text, "Example JWT Claims")
        now = int(time.time())
        claims = {**printed, "iat": now + min(lifetime, 0) - 60, "exp": now + lifetime}
        # Firebase puts it into each of its tokens; the document's example leaves it out.
        claims["auth_time"] = claims["iat"]
        return ask("GET", self.server.address + self.some_path,
                   {"Authorization": "Bearer " + self.issuer.keys[0].token(claims)})

    def printed_claims(self, text):
        self.some_path = "/v1/consumer-avatars"
        status, _, body = self.with_token(text)
        demand(status == 200, f"{status} {body}")

    def told_rate(self, headers):
        """Calls a minute and burst, as the fields of an answer tell them."""
        burst = int(headers["X-RateLimit-Limit"])
        policy = dict(re.findall(r";(q|w)=(\d+)", headers["RateLimit-Policy"]))
        demand(int(policy["q"]) == burst, f"two bursts: {headers['RateLimit-Policy']}")
        return round(burst * 60 / int(policy["w"])), burst

    def rate_table(self, text):
        table = samples.rates(text)
        told = {"API Key (Free)": self.told_rate(self.with_key(self.key)[1]),
                "JWT (Dashboard)": self.told_rate(self.with_token(text)[1]),
                "Unauthenticated": self.told_rate(self.without_credential()[1])}
        pro = self.key_of_tier("pro")
        if pro is not None:
            told["API Key (Pro)"] = self.told_rate(self.with_key(pro)[1])
        demand(told == {name: table[name] for name in told}, f"{told} instead of {table}")

    def attempts_table(self, text):
        """Each operation is tried once more than the table allows."""
        table = samples.attempts(text)
        wrong = {"email": "nobody@example.com", "password": "not the password at all"}
        made = iter(range(100))
        calls = {
            "Password verification": lambda: ("/v1/login", wrong),
            "Login attempts": lambda: ("/v1/login", {**wrong, "email": f"n{next(made)}@example.com"}),
            "Account creation": lambda: ("/v1/accounts", {**wrong, "email": "none"}),
        }
        demand(set(calls) == set(table), f"operations {set(table)}")
        # Guesses at one password count as log-ins too, so the log-ins come with what is left.
        spent = {"Login attempts": table["Password verification"][0] + 1}
        for name, call in calls.items():
            count, minutes = table[name]
            for number in range(spent.get(name, 0) + 1, count + 2):
                path, body = call()
                status, headers, said = ask("POST", self.server.address + path, body=body)
                demand((status == 429) == (number > count), f"{name} {number}: {status} {said}")
            demand(int(headers["Retry-After"]) <= minutes * 60, f"{name}: {headers['Retry-After']}")

    def with_key(self, key):
        return ask("GET", self.server.address + self.some_path,
                   {"Authorization": f"Bearer {key}"})

    def key_of_tier(self, tier):
        """None where this binary can't give a key a tier yet."""
        done = subprocess.run([self.server.binary, "key", "create", "--data", self.server.data,
                               "--tier", tier, "--name", tier, "--json"],
                              capture_output=True, text=True)
        if done.returncode != 0:
            return None
        key = json.loads(done.stdout)["api_key"]
        deadline = time.monotonic() + PATIENCE_S
        while self.with_key(key)[0] == 401 and time.monotonic() < deadline:
            time.sleep(0.05)  # the running server follows soon
        return key
