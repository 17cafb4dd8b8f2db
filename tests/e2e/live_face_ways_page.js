// Joined to anam_page.js by live_face_ways_browser.mjs: what the page's connections and sockets are,
// and what can be done to them from outside of the client that made them.
//
// SPDX-License-Identifier: Apache-2.0

const connections = [], sockets = [];
for (const [name, made] of [['RTCPeerConnection', connections], ['WebSocket', sockets]]) {
  const Native = window[name];
  window[name] = class extends Native {
    constructor(...settings) {
      super(...settings);
      made.push(this);
    }
  };
}

const until = (holds) => new Promise((resolve) => {
  const look = () => holds() ? resolve() : setTimeout(look, 10);
  look();
});

const frames = async () => {
  for (const report of (await connections[0].getStats()).values())
    if (report.type === 'inbound-rtp' && report.kind === 'video') return report.framesDecoded;
  return 0;
};

// How many pictures come in a second from here.
window.picturesInASecond = async () => {
  const before = await frames();
  await new Promise((resolve) => setTimeout(resolve, 1000));
  return await frames() - before;
};

// Somebody takes the signalling socket over, as a second tab would; the client wants it back.
window.takeSocketOver = async () => {
  const [first] = sockets;
  const other = new WebSocket(first.url);
  await until(() => first.readyState === WebSocket.CLOSED);
  await until(() => sockets.length > 2 && other.readyState === WebSocket.CLOSED);
  await until(() => sockets.at(-1).readyState === WebSocket.OPEN);
  return sockets.length;
};

const userOf = ({sdp}) => /a=ice-ufrag:(\S+)/.exec(sdp)[1];

// A second offer, with an ICE restart: the engine's names before and after.
window.restartIce = async () => {
  const [connection] = connections;
  const before = userOf(connection.currentRemoteDescription);
  const offer = await connection.createOffer({iceRestart: true});
  await connection.setLocalDescription(offer);
  const sessionId = window.client.getActiveSessionId();
  sockets.at(-1).send(JSON.stringify({
    actionType: 'offer',
    sessionId,
    payload: {connectionDescription: {type: 'offer', sdp: offer.sdp}, userUid: sessionId},
  }));
  await until(() => connection.signalingState === 'stable');
  await until(() => connection.iceConnectionState === 'connected');
  return {before, after: userOf(connection.currentRemoteDescription)};
};

// The persona's own voice, sent by the page: 16-bit samples at 16 kHz in pieces of 100 ms.
window.sendVoice = (base64) => {
  const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  const stream =
      window.client.createAgentAudioInputStream({encoding: 'pcm_s16le', sampleRate: 16000, channels: 1});
  for (let at = 0; at < bytes.length; at += 3200) stream.sendAudioChunk(bytes.slice(at, at + 3200));
  stream.endSequence();
};
