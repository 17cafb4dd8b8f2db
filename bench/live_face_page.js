// Joined to anam_page.js by live_face.mjs: measures in the page what came, by the page's own clock
// (ms since its navigation began).
//
// SPDX-License-Identifier: Apache-2.0

const bench = {began: 0, firstFrame: 0, firstMoving: 0};
window.bench = bench;

const watched = () => document.getElementById('persona-video');

// A small copy of what the video shows, as brightness.
const small = new OffscreenCanvas(180, 120).getContext('2d', {willReadFrequently: true});
const brightness = () => {
  small.drawImage(watched(), 0, 0, 180, 120);
  const {data} = small.getImageData(0, 0, 180, 120);
  return data.filter((_, at) => at % 4 === 1);
};

// As the vendor's document begins: a token from the page's own backend, the client, the video.
window.beginAtOnce = async (baseUrl) => {
  let before = null;
  const look = (now) => {
    const shown = brightness();
    bench.firstFrame ||= now;
    if (before !== null && shown.some((value, at) => Math.abs(value - before[at]) > 3)) {
      bench.firstMoving = now;
      return;
    }
    before ??= shown;
    watched().requestVideoFrameCallback(look);
  };
  watched().requestVideoFrameCallback(look);
  const reply = await fetch('/api/session-token', {method: 'POST'});
  const {sessionToken} = await reply.json();
  bench.began = performance.now();
  await window.begin(sessionToken, baseUrl, {disableInputAudio: true});
};

// How far the mouth is open in what the video shows: the share of its box that is the dark of the
// mouth or the white of teeth. The box is that of Ada's mouth at 720x480.
const MOUTH = [300, 318, 124, 76];
const mouth = new OffscreenCanvas(MOUTH[2], MOUTH[3]).getContext('2d', {willReadFrequently: true});
const openness = () => {
  mouth.drawImage(watched(), ...MOUTH, 0, 0, MOUTH[2], MOUTH[3]);
  const {data} = mouth.getImageData(0, 0, MOUTH[2], MOUTH[3]);
  let open = 0;
  for (let at = 0; at < data.length; at += 4) {
    const [red, green, blue] = [data[at], data[at + 1], data[at + 2]];
    if ((red < 130 && green < 60 && blue < 70) || (red > 215 && green > 205 && blue > 195)) ++open;
  }
  return open / (data.length / 4);
};

// Notes level and mouth until `ms` have passed: [time, value] each. A picture's time is when the
// browser expects it to be seen.
window.watchLips = (ms) => new Promise((resolve) => {
  const noted = {levels: [], mouths: []};
  const end = performance.now() + ms;
  const frame = (_, {expectedDisplayTime}) => {
    noted.mouths.push([expectedDisplayTime, openness()]);
    if (performance.now() < end) watched().requestVideoFrameCallback(frame);
  };
  watched().requestVideoFrameCallback(frame);
  const level = () => {
    noted.levels.push([performance.now(), window.level()]);
    if (performance.now() < end) return setTimeout(level, 4);
    resolve(noted);
  };
  level();
});

// What the browser itself thinks: of which moment of the sender's clock are the sound and the
// picture that it plays now; the difference in ms, positive where the picture is behind.
const made = [];
const Native = window.RTCPeerConnection;
window.RTCPeerConnection = function(...settings) {
  made.push(new Native(...settings));
  return made.at(-1);
};
window.RTCPeerConnection.prototype = Native.prototype;
window.browserSays = async () => {
  const playing = {};
  for (const connection of made)
    for (const report of (await connection.getStats()).values())
      if (report.type === 'inbound-rtp' && report.estimatedPlayoutTimestamp)
        playing[report.kind] = report.estimatedPlayoutTimestamp;
  return playing.audio && playing.video ? playing.audio - playing.video : null;
};

async function arrivals() {
  const came = {};
  for (const connection of made)
    for (const report of (await connection.getStats()).values())
      if (report.type === 'inbound-rtp')
        came[report.kind] = {at: report.timestamp,
                             count: report.framesReceived ?? report.packetsReceived};
  return came;
}

// Pictures and packets of sound that come a second, and the longest time between two pictures that
// the page was given, in ms.
window.watchArrivals = async (ms) => {
  const before = await arrivals();
  let longest = 0, last = 0, ends = false;
  const look = (now) => {
    if (last) longest = Math.max(longest, now - last);
    last = now;
    if (!ends) watched().requestVideoFrameCallback(look);
  };
  watched().requestVideoFrameCallback(look);
  await new Promise((resolve) => setTimeout(resolve, ms));
  ends = true;
  const after = await arrivals();
  const rate = (kind) =>
      (after[kind].count - before[kind].count) * 1e3 / (after[kind].at - before[kind].at);
  return {pictures: rate('video'), sounds: rate('audio'), longest};
};
