// Room tokens against the vendors' own published packages, unmodified: LiveKit's TokenVerifier and
// Agora's AccessToken2 parser. Run by tests/conform/run.py with STAGEDOOR_URL, STAGEDOOR_KEY and the
// secrets of both services in the environment; prints one line a check, as report.py does.
//
// SPDX-License-Identifier: Apache-2.0

import { createRequire } from "node:module";
import path from "node:path";
import { pathToFileURL } from "node:url";

// The packages are installed in the folder that NPM_FOLDER names.
const require = createRequire(pathToFileURL(path.join(process.env.NPM_FOLDER, "x.js")));
const { TokenVerifier } = require("livekit-server-sdk");
const { AccessToken2, ServiceRtc, kRtcServiceType } = require("agora-token/src/AccessToken2.js");

let failed = 0;
async function check(words, body) {
  try {
    await body();
    console.log(`ok   room tokens: ${words}`);
  } catch (error) {
    failed += 1;
    console.log(`FAIL room tokens: ${words}: ${error}`);
  }
}

function demand(holds, words) {
  if (!holds) throw new Error(words);
}

async function mint(service, body) {
  const reply = await fetch(`${process.env.STAGEDOOR_URL}/v1/room-tokens/${service}`, {
    method: "POST",
    headers: {
      "Content-Type": "application/json",
      Authorization: `Bearer ${process.env.STAGEDOOR_KEY}`,
    },
    body: JSON.stringify(body),
  });
  demand(reply.status === 200, `${service} answered ${reply.status}: ${await reply.clone().text()}`);
  return reply.json();
}

const verifier = new TokenVerifier(process.env.LIVEKIT_KEY, process.env.LIVEKIT_SECRET);
const participant = {
  room: "lobby",
  identity: "visitor-42",
  name: "Ada",
  metadata: '{"seat":7}',
  attributes: { seat: "7" },
  ttl_seconds: 600,
  grants: { room_join: true, can_subscribe: true, can_publish_data: true },
};

await check("LiveKit's verifier accepts one, with all that it says", async () => {
  const { token, expires_at } = await mint("livekit", participant);
  const claims = await verifier.verify(token);
  demand(claims.sub === "visitor-42" && claims.name === "Ada", "identity or name");
  demand(claims.metadata === '{"seat":7}' && claims.attributes.seat === "7", "metadata");
  demand(claims.exp === expires_at && claims.exp - claims.nbf === 600, "times");
  demand(claims.video.room === "lobby" && claims.video.roomJoin === true, "room");
  demand(claims.video.canSubscribe && claims.video.canPublishData, "grants that were given");
  demand(claims.video.canPublish === false, "a grant that was not given");
});

await check("LiveKit's verifier refuses one under another secret", async () => {
  const { token } = await mint("livekit", participant);
  const other = new TokenVerifier(process.env.LIVEKIT_KEY, "another secret");
  demand(!(await other.verify(token).then(() => true, () => false)), "it was accepted");
});

await check("LiveKit's verifier refuses one whose time is over", async () => {
  const { token } = await mint("livekit", { ...participant, ttl_seconds: 1 });
  await new Promise((resolve) => setTimeout(resolve, 2100));
  demand(!(await verifier.verify(token, 0).then(() => true, () => false)), "it was accepted");
});

for (const [user, said] of [
  [{ uid: 42 }, "42"],
  [{ uid: 4294967295 }, "4294967295"],
  [{ uid: 0 }, ""],
  [{ account: "ada@example" }, "ada@example"],
]) {
  for (const role of ["subscriber", "publisher"]) {
    await check(`Agora's parser reads one of a ${role} ${JSON.stringify(user)}`, async () => {
      const answer = await mint("agora", { channel: "lobby", role, ttl_seconds: 600, ...user });
      const token = new AccessToken2("", "", 0, 0);
      demand(token.from_string(answer.token), "it can't be parsed");
      demand(token.verifySignature(process.env.AGORA_CERTIFICATE), "its signature");
      demand(!token.verifySignature("0".repeat(32)), "another certificate was accepted");
      demand(String(token.appId) === process.env.AGORA_APP && token.expire === 600, "project or time");
      demand(token.issueTs + 600 === answer.expires_at, "its end");
      const [rtc] = token.getServices(kRtcServiceType);
      demand(String(rtc.__channel_name) === "lobby" && String(rtc.__uid) === said, "channel or user");
      const wanted = role === "publisher" ? "1 2 3 4" : `${ServiceRtc.kPrivilegeJoinChannel}`;
      demand(Object.keys(rtc.__privileges).join(" ") === wanted, "privileges");
      demand(Object.values(rtc.__privileges).every((end) => end === 600), "their ends");
    });
  }
}

process.exit(failed ? 1 : 0);
