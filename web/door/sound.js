// Sound in the browser: decoding, the 16-bit mono that the server wants, a picture of it, playing,
// and recording. Problems are SoundError, whose message is meant for people.
//
// SPDX-License-Identifier: Apache-2.0

export class SoundError extends Error {}

export const SECONDS_MAX = 300;
const RECORD_SECONDS_MAX = 60;

// Makes the context run. Browsers let a page sound only after a click or a key, and answer resume()
// when that has come; waiting for it without a word would look like a page that hangs.
export async function wake(context) {
  const patience = new Promise((resolve) => setTimeout(resolve, 1500));
  await Promise.race([context.resume(), patience]);
  if (context.state !== 'running')
    throw new SoundError('The browser wants a click before this page may sound.');
}

// Any format that the browser knows; SoundError where it does not.
export async function decode(context, arrayBuffer) {
  let sound;
  try {
    sound = await context.decodeAudioData(arrayBuffer);
  } catch {
    throw new SoundError(
        'This browser cannot decode that file. WAV, MP3, Ogg, WebM and M4A usually work.');
  }
  if (sound.length === 0) throw new SoundError('That file holds no sound.');
  if (sound.duration > SECONDS_MAX) {
    throw new SoundError(
        `That sound lasts ${Math.round(sound.duration)} s; the page takes up to ${SECONDS_MAX} s.`);
  }
  return sound;
}

// The whole sound as mono 16-bit little-endian samples at `rate`.
export async function toPcm(sound, rate) {
  const samples = Math.max(1, Math.round(sound.duration * rate));
  const offline = new OfflineAudioContext(1, samples, rate);
  const source = offline.createBufferSource();
  source.buffer = sound;
  source.connect(offline.destination);  // One output channel: the graph mixes down.
  source.start();
  const mono = (await offline.startRendering()).getChannelData(0);
  const bytes = new Uint8Array(mono.length * 2);
  const view = new DataView(bytes.buffer);
  for (let at = 0; at < mono.length; ++at) {
    const level = Math.max(-1, Math.min(1, mono[at]));
    view.setInt16(at * 2, Math.round(level * 32767), true);
  }
  return bytes;
}

// `columns` pairs [lowest, highest] of the sound's first channel, for drawing.
export function outline(sound, columns) {
  const samples = sound.getChannelData(0);
  const pairs = [];
  for (let column = 0; column < columns; ++column) {
    const from = Math.floor((column * samples.length) / columns);
    const to = Math.max(from + 1, Math.floor(((column + 1) * samples.length) / columns));
    let low = 0;
    let high = 0;
    for (let at = from; at < to && at < samples.length; ++at) {
      low = Math.min(low, samples[at]);
      high = Math.max(high, samples[at]);
    }
    pairs.push([low, high]);
  }
  return pairs;
}

// Plays one sound. time() is the position that is heard now, in seconds: the context's clock, less
// what the device still holds back; below 0 until the first sample is heard.
export class Playback {
  #context;
  #source;
  #beginsAt;

  constructor(context, sound, onEnd) {
    this.#context = context;
    this.#source = context.createBufferSource();
    this.#source.buffer = sound;
    this.#source.connect(context.destination);
    // The node ends on the context's clock; the last of it is heard a little later.
    this.#source.onended = () => setTimeout(onEnd, this.#heldBack() * 1000);
    this.#beginsAt = context.currentTime + 0.02;
    this.#source.start(this.#beginsAt);
  }

  time() { return this.#context.currentTime - this.#heldBack() - this.#beginsAt; }

  #heldBack() { return this.#context.outputLatency || this.#context.baseLatency || 0; }

  stop() { this.#source.stop(); }
}

// Records the microphone until stop(), or for a minute at most. finished resolves to the bytes of
// a sound file that decode() takes.
export class Recording {
  static async start() {
    if (!navigator.mediaDevices?.getUserMedia) {
      throw new SoundError('The microphone needs a secure address: https, or http://127.0.0.1.');
    }
    let stream;
    try {
      stream = await navigator.mediaDevices.getUserMedia({audio: {channelCount: 1}});
    } catch (error) {
      const denied = error.name === 'NotAllowedError';
      throw new SoundError(
          denied ? 'The browser was not allowed to use the microphone.' :
                   'No microphone was found.');
    }
    return new Recording(stream);
  }

  #recorder;

  constructor(stream) {
    const parts = [];
    this.#recorder = new MediaRecorder(stream);
    this.#recorder.ondataavailable = (event) => parts.push(event.data);
    this.finished = new Promise((resolve) => {
      this.#recorder.onstop = async () => {
        clearTimeout(this.timer);
        for (const track of stream.getTracks()) track.stop();
        resolve(await new Blob(parts).arrayBuffer());
      };
    });
    this.#recorder.start();
    this.timer = setTimeout(() => this.stop(), RECORD_SECONDS_MAX * 1000);
  }

  stop() {
    if (this.#recorder.state !== 'inactive') this.#recorder.stop();
  }
}
