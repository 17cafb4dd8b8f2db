"""Live faces over networks as users have them, made of network namespaces: a door behind NAT and a
firewall with a browser behind another NAT, and both on IPv6, in Chromium and in Firefox, which
sends no media to a loopback address and so can't be tried without a network. Needs root, which makes the networks;
they are gone afterwards, and this machine's own are not touched.

    home (browser) ──NAT──▶ world ──port forwarding, firewall──▶ door (server)

SPDX-License-Identifier: Apache-2.0
"""

import contextlib
import json
import os
import pathlib
import shutil
import subprocess
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
PUBLIC, HTTP_PORT, FIRST_PORT = "203.0.113.5", 8700, 45100
DOOR, DOOR_V6 = "10.77.0.2", "fd77::2"
BROWSER_SECONDS = 90
NETWORKS = f"""
ip netns add {{door}}
ip netns add {{world}}
ip netns add {{home}}
ip -n {{world}} link add to-door type veth peer name out netns {{door}}
ip -n {{world}} link add to-home type veth peer name out netns {{home}}
ip -n {{world}} addr add {PUBLIC}/32 dev lo
ip -n {{world}} addr add 10.77.0.1/24 dev to-door
ip -n {{world}} addr add 192.168.9.1/24 dev to-home
ip -n {{world}} addr add fd77::1/64 dev to-door nodad
ip -n {{world}} addr add fd99::1/64 dev to-home nodad
ip -n {{door}} addr add {DOOR}/24 dev out
ip -n {{door}} addr add {DOOR_V6}/64 dev out nodad
ip -n {{home}} addr add 192.168.9.2/24 dev out
ip -n {{home}} addr add fd99::2/64 dev out nodad
ip -n {{world}} link set lo up
ip -n {{world}} link set to-door up
ip -n {{world}} link set to-home up
ip -n {{door}} link set lo up
ip -n {{door}} link set out up
ip -n {{home}} link set lo up
ip -n {{home}} link set out up
ip -n {{door}} route add default via 10.77.0.1
ip -n {{home}} route add default via 192.168.9.1
ip -n {{door}} route add default via fd77::1
ip -n {{home}} route add default via fd99::1
ip netns exec {{world}} sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
"""
# Only what is forwarded by name comes in; who is at home is seen as the world's own address.
RULES = f"""
table ip stagedoor {{
  chain forwarded_ports {{
    type nat hook prerouting priority -100;
    ip daddr {PUBLIC} tcp dport {HTTP_PORT} dnat to {DOOR}
    ip daddr {PUBLIC} udp dport {FIRST_PORT}-{FIRST_PORT + 255} dnat to {DOOR}
  }}
  chain masquerading {{
    type nat hook postrouting priority 100;
    ip saddr 192.168.9.0/24 oifname "to-door" masquerade random
  }}
  chain firewall {{
    type filter hook forward priority 0; policy drop;
    ct state {{ established, related }} accept
    ct status dnat accept
  }}
}}
"""
WIDE = '[limits]\napi_key_free = "1000/min burst 1000"\nstranger = "1000/min burst 1000"\n'
BEHIND_NAT = (f'[server]\npublic_url = "http://{PUBLIC}:{HTTP_PORT}"\n[live]\n'
              f'public_addresses = ["{PUBLIC}"]\nudp_first_port = {FIRST_PORT}\n' + WIDE)


@contextlib.contextmanager
def networks():
    """The names of the three, while they are."""
    names = {name: f"stagedoor-{name}-{os.getpid()}" for name in ("door", "world", "home")}
    try:
        for line in NETWORKS.strip().splitlines():
            subprocess.run(line.format(**names).split(), check=True, capture_output=True)
        subprocess.run(["ip", "netns", "exec", names["world"], "nft", "-f", "-"], check=True,
                       input=RULES, text=True, capture_output=True)
        yield names
    finally:
        for name in names.values():
            subprocess.run(["ip", "netns", "del", name], capture_output=True)


@contextlib.contextmanager
def door(names, binary, listen, settings):
    """A server at the door; its key."""
    with tempfile.TemporaryDirectory() as folder:
        made = subprocess.run([binary, "init", "--data", folder, "--json"], check=True,
                              stdout=subprocess.PIPE, text=True)
        path = pathlib.Path(folder, "settings.toml")
        path.write_text(settings)
        serving = subprocess.Popen(
            ["ip", "netns", "exec", names["door"], binary, "serve", "--data", folder, "--json",
             "--config", path, "--listen", listen], stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, text=True)
        try:
            json.loads(serving.stdout.readline())
            yield json.loads(made.stdout)["api_key"]
        finally:
            serving.terminate()
            serving.wait()
            serving.stdout.close()


def at_home(names, program, address, key):
    """What a program with a browser prints at home."""
    done = subprocess.run(
        ["ip", "netns", "exec", names["home"], "node", HERE / program], stdout=subprocess.PIPE,
        text=True, timeout=BROWSER_SECONDS,
        env={**os.environ, "STAGEDOOR_URL": address, "STAGEDOOR_KEY": key})
    return done.stdout


def look(tally, words, names, address, key):
    seen = json.loads(at_home(names, "networks.mjs", address, key))
    tally.say("ok" if seen["pictures"] > 15 else "FAIL",
              f"networks: Chromium over {words}: a face moves ({seen['pictures']} pictures a "
              f"second, by {seen['way']})")
    if shutil.which("firefox-esr") is None:
        return tally.say("skip", f"networks: Firefox over {words}: there is none on this machine")
    lines = at_home(names, "firefox.mjs", address, key).splitlines()
    for line in lines or ["FAIL it printed nothing"]:
        outcome, _, what = line.partition(" ")
        tally.take(f"{outcome:<4} networks: over {words}: {what}")


def check(tally, binary):
    """A line for each way; a skip where there are no networks to be made."""
    ways = {
        "NAT at both ends and a firewall": (f"{DOOR}:{HTTP_PORT}", BEHIND_NAT,
                                            f"http://{PUBLIC}:{HTTP_PORT}"),
        "IPv6": (f"[{DOOR_V6}]:{HTTP_PORT}", WIDE, f"http://[{DOOR_V6}]:{HTTP_PORT}"),
    }
    if os.geteuid() != 0 or None in map(shutil.which, ("ip", "nft", "sysctl")):
        return tally.say("skip", "networks: only root makes them, with ip, nft and sysctl")
    with networks() as names:
        for words, (listen, settings, address) in ways.items():
            try:
                with door(names, binary, listen, settings) as key:
                    look(tally, words, names, address, key)
            except (subprocess.SubprocessError, ValueError) as error:
                tally.say("FAIL", f"networks: over {words}: {error}")
