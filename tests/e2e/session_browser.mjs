// Holds a conversation with a live face from a page in a real Chromium, by the words of the wire
// alone, and writes what it heard as one JSON object on stdout, after a line for each step that is
// done. It judges nothing: the tests do.
//
// node session_browser.mjs ADDRESS TOKEN STEPS, a JSON list of {"say": TEXT}, which waits until the
// persona has answered, {"interrupt": TEXT}, which interrupts the answer when it begins, and
// {"change": DATA}, which changes the persona, and {"wait": TEXT}, which waits until the other side ends the session.
//
// SPDX-License-Identifier: Apache-2.0

import {chromium} from 'playwright-core';

const [address, token, steps] = process.argv.slice(2);
const PATIENCE_MS = 60_000;

async function converse({server, credential, script, patience}) {
  const notes = {spoken: [], ended: null, tools: [], warnings: [], changed: []};
  let changed = () => {};
  const until = (holds, what) => new Promise((resolve, reject) => {
    const late = setTimeout(
        () => reject(new Error(`${what} never came: ${JSON.stringify(notes)}`)), patience);
    changed = () => {
      if (!holds()) return;
      clearTimeout(late);
      resolve();
    };
    changed();
  });

  const reply = await fetch(`${server}/v1/engine/session`, {
    method: 'POST',
    headers: {'Content-Type': 'application/json', Authorization: `Bearer ${credential}`},
    body: JSON.stringify({clientMetadata: {client: 'test-page', apiKey: 'hush-hush'}}),
  });
  const session = await reply.json();
  if (reply.status !== 200) throw new Error(JSON.stringify(session));
  notes.sessionId = session.sessionId;

  const place = server.replace('http', 'ws') + session.signallingEndpoint;
  const socket = new WebSocket(`${place}?session_id=${session.sessionId}`);
  await new Promise((resolve) => { socket.onopen = resolve; });
  const tell = (actionType, payload) =>
      socket.send(JSON.stringify({actionType, sessionId: session.sessionId, payload}));
  const peer = new RTCPeerConnection();
  socket.onmessage = async ({data}) => {
    const {actionType, payload} = JSON.parse(data);
    if (actionType === 'answer') await peer.setRemoteDescription(payload);
    if (actionType === 'icecandidate') await peer.addIceCandidate(payload);
    if (actionType === 'endsession') notes.ended = payload;
    if (actionType === 'warning') notes.warnings.push(payload);
    changed();
  };

  const channel = peer.createDataChannel('session', {ordered: true});
  peer.addTransceiver('video', {direction: 'recvonly'});
  peer.addTransceiver('audio', {direction: 'recvonly'});
  let begun = 0;
  let finished = 0;
  channel.onmessage = ({data}) => {
    const {messageType, data: told} = JSON.parse(data);
    if (messageType === 'speechText') {
      notes.spoken.push(told);
      if (told.role === 'persona') {
        begun += told.content ? 1 : 0;
        finished += told.end_of_speech ? 1 : 0;
      }
    }
    if (messageType === 'personaConfigUpdateApplied') notes.changed.push(told);
    if (messageType.startsWith('toolCall')) notes.tools.push(messageType);
    changed();
  };
  await peer.setLocalDescription(await peer.createOffer());
  tell('offer', {
    connectionDescription: {type: 'offer', sdp: peer.localDescription.sdp},
    userUid: session.sessionId
  });
  await new Promise((resolve) => { channel.onopen = resolve; });

  const say = (message) => channel.send(JSON.stringify(
      {session_id: session.sessionId, timestamp: '2026-01-01T00:00:00', ...message}));
  for (const step of script) {
    const [begunBefore, finishedBefore] = [begun, finished];
    if (step.wait) {
      await until(() => notes.ended !== null, step.wait);
      continue;
    }
    if (step.change) {
      say({message_type: 'persona_config', data: step.change});
      continue;
    }
    say({message_type: 'speech', content: step.say ?? step.interrupt});
    if (step.interrupt) {
      await until(() => begun > begunBefore, 'the first word');
      say({message_type: 'interrupt'});
    }
    await until(() => finished > finishedBefore, 'the end of an answer');
    await window.tellStep();
  }
  peer.close();
  socket.close();
  return notes;
}

const browser = await chromium.launch({
  executablePath: '/usr/bin/chromium',
  args: ['--headless=new', '--no-sandbox', '--disable-gpu', '--no-first-run'],
});
try {
  const page = await browser.newPage();
  await page.exposeFunction('tellStep', () => process.stdout.write('done\n'));
  const notes = await page.evaluate(converse, {
    server: address,
    credential: token,
    script: JSON.parse(steps),
    patience: PATIENCE_MS,
  });
  process.stdout.write(JSON.stringify(notes));
} finally {
  await browser.close();
}
