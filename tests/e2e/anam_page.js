// The page of anam_browser.mjs: the vendor's client, unmodified, and what can be seen of it from the
// page. Bundled when the program runs.
//
// SPDX-License-Identifier: Apache-2.0

import {AnamEvent, createClient} from '@anam-ai/js-sdk';

const video = () => document.getElementById('persona-video');

// Begins a session; `notes` then holds when each event came first, in ms from here.
window.begin = async (token, baseUrl, options) => {
  const notes = {events: {}, messages: [], warnings: [], closed: null, speech: [], voices: []};
  window.notes = notes;
  const began = performance.now();
  const since = () => Math.round(performance.now() - began);
  const client = createClient(token, {...options, ...(baseUrl ? {api: {baseUrl}} : {})});
  for (const name of Object.values(AnamEvent)) {
    client.addListener(name, (...values) => {
      notes.events[name] ??= since();
      if (name === AnamEvent.MESSAGE_HISTORY_UPDATED) [notes.messages] = values;
      if (name === AnamEvent.SERVER_WARNING) notes.warnings.push(values[0]);
      if (name === AnamEvent.USER_SPEECH_STARTED) notes.voices.push(performance.now());
      if (name === AnamEvent.CONNECTION_CLOSED) notes.closed = {at: since(), why: values};
      if (name === AnamEvent.MESSAGE_STREAM_EVENT_RECEIVED)
        notes.speech.push({at: since(), ...values[0]});
    });
  }
  window.client = client;
  window.since = since;
  await client.streamToVideoElement('persona-video');
};

let analyser = null;
// Each look at the loudness is over so many samples of 48 kHz.
window.listen = async (samples = 1024) => {
  const context = new AudioContext();
  await context.resume();
  analyser = context.createAnalyser();
  analyser.fftSize = samples;
  context.createMediaStreamSource(video().srcObject).connect(analyser);
};

// How loud it is now, 0..1.
const loudness = () => {
  const samples = new Float32Array(analyser.fftSize);
  analyser.getFloatTimeDomainData(samples);
  return Math.sqrt(samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length);
};

window.level = loudness;

// Waits until the sound is as asked, and tells how long that took; -1 if it never was.
window.waitForSound = (isWanted, patience) => new Promise((resolve) => {
  const began = performance.now();
  const look = () => {
    const passed = performance.now() - began;
    if ((loudness() > 0.01) === isWanted)
      resolve(Math.round(passed));
    else if (passed > patience)
      resolve(-1);
    else
      setTimeout(look, 5);
  };
  look();
});

const SILENCE_MS = 300;

// The moment of the last sound before the next silence, which is as long as `silenceMs` says at the
// time; `began` is told when there is sound.
const lastSound = (began, silenceMs = () => SILENCE_MS) => new Promise((resolve) => {
  let last = 0, isOn = false;
  const look = () => {
    const now = performance.now();
    if (!isOn && loudness() > 0.05) {
      isOn = true;
      last = now;
      began();
    } else if (isOn && loudness() > 0.01) {
      last = now;
    }
    if (isOn && now - last > silenceMs()) return resolve(last);
    setTimeout(look, 4);
  };
  look();
});

// Interrupts in the midst of sound: how long it was still heard.
window.interruptAndListen = async () => {
  let asked = 0;
  const last = await lastSound(() => {
    asked = performance.now();
    window.client.interruptPersona();
  });
  return last - asked;
};

// Has `words` spoken until the user's voice stops them: how long they were still heard after the
// page was told of that voice, less than nothing where it came between two sentences; null where no
// voice did.
window.talkUntilVoice = async (words) => {
  const voices = window.notes.voices.length;
  const isStopped = () => window.notes.voices.length > voices;
  await window.client.talk(words);
  const last = await lastSound(() => {}, () => isStopped() ? SILENCE_MS : 10 * SILENCE_MS);
  return isStopped() ? last - window.notes.voices[voices] : null;
};

// What is in the picture now: the sum of differences to the picture before, and its mean.
let before = null;
window.picture = () => {
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [video().videoWidth, video().videoHeight];
  const pen = canvas.getContext('2d');
  pen.drawImage(video(), 0, 0);
  const {data} = pen.getImageData(0, 0, canvas.width, canvas.height);
  let mean = 0;
  let moved = 0;
  for (let at = 0; at < data.length; at += 4) {
    mean += data[at + 1];
    if (before !== null && before.length === data.length)
      moved += Math.abs(data[at + 1] - before[at + 1]);
  }
  before = data;
  return {
    width: canvas.width,
    height: canvas.height,
    time: video().currentTime,
    mean: mean / (data.length / 4),
    moved: moved / (data.length / 4)
  };
};
