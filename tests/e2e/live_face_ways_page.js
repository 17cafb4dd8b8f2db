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

// The kind of the page's own end of the way that media take: "host", "relay", ...
window.wayOfMedia = async () => {
  const reports = await connections[0].getStats();
  for (const report of reports.values())
    if (report.type === 'candidate-pair' && report.nominated && report.state === 'succeeded')
      return reports.get(report.localCandidateId).candidateType;
  return 'none';
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

// How far the mouth is open in each picture of so many ms: the share of its box that is the dark of
// the mouth or the white of teeth. The box is that of a portrait of 768x1152 (web/faces, whose sheets
// have one place for it).
const MOUTH = [300, 607, 168, 157];
window.watchMouth = (ms) => new Promise((resolve) => {
  const video = document.getElementById('persona-video');
  const copy = new OffscreenCanvas(MOUTH[2], MOUTH[3]).getContext('2d', {willReadFrequently: true});
  const seen = [], end = performance.now() + ms;
  const look = () => {
    copy.drawImage(video, ...MOUTH, 0, 0, MOUTH[2], MOUTH[3]);
    const {data} = copy.getImageData(0, 0, MOUTH[2], MOUTH[3]);
    let open = 0;
    for (let at = 0; at < data.length; at += 4) {
      const [red, green, blue] = [data[at], data[at + 1], data[at + 2]];
      if ((red < 130 && green < 60 && blue < 70) || (red > 215 && green > 205 && blue > 195)) ++open;
    }
    seen.push(open / (data.length / 4));
    if (performance.now() > end) return resolve(seen);
    video.requestVideoFrameCallback(look);
  };
  video.requestVideoFrameCallback(look);
});
