// The page at `/`: takes a sound, has the server turn it into movement, shows both.
//
// Nothing here or on the page ever holds a session token; motion-session.js uses it and forgets it.
//
// SPDX-License-Identifier: Apache-2.0

import {FaceView} from './face-view.js';
import {MotionSession, SessionError} from './motion-session.js';
import {Performer} from './performer.js';
import {Plot} from './plot.js';
import {decode, Recording, SoundError, toPcm, wake} from './sound.js';
import {FRAMES_PER_SECOND, Utterance} from './utterance.js';

const FRAMES_BEFORE_PLAYING = 5;  // 200 ms
const STEPS_MAX = 60;

const part = (id) => document.getElementById(id);

class Door {
  #view;
  #performer;
  #plot = new Plot(part('plot'));
  #session = null;
  #opening = null;
  #context = null;
  #recording = null;
  #utterance = new Utterance();
  #job = 0;  // The newest sound's number; older ones stop when they see it has moved on.
  #retry = null;
  #spoken = 0;
  #firstFrameMs = null;
  #sound = null;
  #state = 'idle';

  constructor(sheet) {
    this.#view = new FaceView(part('face'), sheet);
    this.#performer = new Performer(this.#view, (now) => this.#onDrawn(now));
    this.#listen();
    this.#offerSample();
  }

  // What the browser test looks at; it can change nothing.
  get report() {
    const door = this;
    return Object.freeze({
      get state() { return door.#state; },
      get spoken() { return door.#spoken; },
      get frames() { return door.#utterance.frames.length; },
      get firstFrameMs() { return door.#firstFrameMs; },
      get soundSeconds() { return door.#sound?.duration ?? 0; },
      get drawn() { return door.#performer.drawn; },
      get ends() { return door.#performer.ends; },
      // A sheet rectangle [x, y, width, height] as pixels of the face's canvas.
      canvasBox([x, y, width, height]) {
        const {scale, left, top} = door.#view.placement();
        return [x * scale + left, y * scale + top, width * scale, height * scale].map(Math.round);
      },
    });
  }

  // ---- What people do ----------------------------------------------------------------------

  #listen() {
    part('sample').onclick = () => this.#say(() => fetchSample());
    part('pick').onclick = () => part('file').click();
    part('file').onchange = () => this.#takeFile(part('file').files[0]);
    part('record').onclick = () => this.#toggleRecording();
    part('stop').onclick = () => this.#stop();
    part('again').onclick = () => this.#retry?.();
    window.ondragover = (event) => {
      event.preventDefault();
      document.body.classList.add('dropping');
    };
    window.ondragleave = () => document.body.classList.remove('dropping');
    window.ondrop = (event) => {
      event.preventDefault();
      document.body.classList.remove('dropping');
      this.#takeFile(event.dataTransfer.files[0]);
    };
  }

  async #offerSample() {
    const answer = await fetch('/door/sample.wav', {method: 'HEAD'}).catch(() => null);
    part('sample').hidden = !answer?.ok;
  }

  #takeFile(file) {
    part('file').value = '';
    if (file === undefined) return;
    this.#say(() => file.arrayBuffer());
  }

  async #toggleRecording() {
    if (this.#recording !== null) return this.#recording.stop();
    this.#stop();
    try {
      this.#recording = await Recording.start();
    } catch (error) {
      this.#failed(error, () => this.#toggleRecording());
      return this.#showRest();
    }
    this.#quiet();
    this.#show('busy', 'Recording: press again when you are done');
    part('record').textContent = 'Stop recording';
    part('record').setAttribute('aria-pressed', 'true');
    const bytes = await this.#recording.finished;
    this.#recording = null;
    part('record').textContent = 'Record';
    part('record').setAttribute('aria-pressed', 'false');
    this.#say(async () => bytes.slice(0));
  }

  #stop() {
    ++this.#job;
    this.#session?.interrupt();
    this.#performer.stop();
    part('stop').disabled = true;
    this.#showRest();
  }

  // ---- One sound, from bytes to the end of playing -------------------------------------------

  async #say(bytes) {
    this.#stop();
    const job = ++this.#job;
    const current = () => job === this.#job;
    this.#quiet();
    part('stop').disabled = false;
    try {
      this.#show('busy', 'Reading the sound');
      this.#context ??= new AudioContext();
      await wake(this.#context);
      const sound = await decode(this.#context, await bytes());
      if (!current()) return;
      this.#prepare(sound);
      await this.#ensureSession();
      if (current()) await this.#perform(sound, current);
      if (current()) ++this.#spoken;
    } catch (error) {
      if (current()) this.#failed(error, () => this.#say(bytes));
    } finally {
      if (current()) {
        part('stop').disabled = true;
        this.#showRest();
      }
    }
  }

  #prepare(sound) {
    this.#sound = sound;
    this.#utterance = new Utterance();
    this.#firstFrameMs = null;
    this.#plot.show(sound);
    part('sound-length').textContent = `${sound.duration.toFixed(1)} s`;
    part('first-frame').textContent = part('frame-count').textContent = '\u2013';
  }

  async #ensureSession() {
    if (this.#session?.isOpen) return;
    this.#show('busy', 'Opening a session');
    // A second sound may come while the first one's session is still opening: they share it.
    this.#opening ??= this.#openSession().finally(() => {
      this.#opening = null;
    });
    await this.#opening;
  }

  async #openSession() {
    const session = new MotionSession((name, detail) => this.#onSession(session, name, detail));
    this.#session = session;
    await session.open();
  }

  async #perform(sound, current) {
    const session = this.#session;
    const pcm = await toPcm(sound, session.sampleRate);
    if (!current()) return;
    this.#step(
        `Turned ${sound.duration.toFixed(2)} s of sound into ${
            session.sampleRate / 1000} kHz mono ` +
        `(${Math.ceil(pcm.length / 1024)} KB) and sent it.`);
    const utterance = this.#utterance;
    const began = performance.now();
    let playing = null;
    const begin = () => {
      playing ??= this.#performer.play(this.#context, sound, utterance);
    };
    this.#show('busy', 'Waiting for the first frame');
    await session.speak(pcm, (animation) => {
      if (!current()) return;
      utterance.append(animation);
      this.#onFrames(performance.now() - began);
      if (utterance.frames.length >= FRAMES_BEFORE_PLAYING) begin();
    });
    if (!current()) return;
    utterance.isWhole = true;
    this.#step(
        `${utterance.frames.length} frames (${FRAMES_PER_SECOND} a second) in ` +
        `${Math.round(performance.now() - began)} ms; the first after ${
            Math.round(this.#firstFrameMs ?? 0)} ms.`);
    begin();
    await playing;
    if (!current()) return;
    const {sound: soundEnd, face: faceEnd} = this.#performer.ends;
    this.#step(`The sound was over at ${soundEnd.toFixed(2)} s and the face at ${
        faceEnd.toFixed(2)} s. The session stays open for the next one.`);
  }

  // ---- What happens --------------------------------------------------------------------------

  #onFrames(ms) {
    if (this.#firstFrameMs === null) {
      this.#firstFrameMs = ms;
      part('first-frame').textContent = `${Math.round(ms)} ms`;
    }
    part('frame-count').textContent = String(this.#utterance.frames.length);
    this.#show(
        'speaking', `Speaking \u00b7 first frame after ${Math.round(this.#firstFrameMs)} ms`);
  }

  #onSession(session, name, detail) {
    const ms = `${Math.round(detail.ms ?? 0)} ms`;
    if (name === 'minted') {
      this.#step(
          `Minted a session token for app ${detail.appId} and avatar ${detail.avatarId} (${ms}). ` +
          'It is for single use: it opens one session.');
    } else if (name === 'opened') {
      this.#step(`Opened the socket with it (${ms}). The token is now spent.`);
    } else if (name === 'confirmed') {
      this.#step(`The server confirmed session ${detail.connectionId} (${ms}).`);
    } else if (name === 'closed' && session === this.#session) {
      this.#step(`${detail.reason} The next sound opens a new session with a new token.`);
      if (!this.#performer.isPlaying) this.#showRest();
    }
  }

  #onDrawn({playing, seconds}) {
    const at = playing       ? Math.min(seconds, this.#sound.duration) :
        this.#sound === null ? 0 :
                               this.#sound.duration;
    part('clock').textContent = `${at.toFixed(1)} s`;
    this.#plot.draw(this.#utterance.frames, this.#utterance.column('jawOpen'), playing ? at : -1);
  }

  #failed(error, retry) {
    this.#performer.stop();
    const known = error instanceof SoundError || error instanceof SessionError;
    part('problem-text').textContent =
        known ? error.message : `Something went wrong: ${error.message}`;
    part('problem').hidden = false;
    this.#retry = retry;
    this.#step(part('problem-text').textContent);
  }

  #quiet() {
    part('problem').hidden = true;
    this.#retry = null;
  }

  #showRest() {
    if (!part('problem').hidden) return this.#show('problem', 'That did not work');
    if (this.#session?.isOpen) return this.#show('connected', 'Connected');
    this.#show('idle', 'Ready');
  }

  #show(state, words) {
    this.#state = state;
    part('lamp').dataset.state = state;
    if (part('status').textContent !== words) part('status').textContent = words;
  }

  #step(words) {
    const list = part('steps');
    if (list.dataset.begun === undefined) {
      list.dataset.begun = '';
      list.replaceChildren();
    }
    const item = document.createElement('li');
    item.textContent = words;
    list.append(item);
    while (list.children.length > STEPS_MAX) list.firstChild.remove();
    list.scrollTop = list.scrollHeight;
  }
}

async function fetchSample() {
  const answer = await fetch('/door/sample.wav').catch(() => null);
  if (!answer?.ok) throw new SoundError('The server did not give its sample.');
  return answer.arrayBuffer();
}

const sheet = await (await fetch('/door/face-sheet.json')).json();
Object.defineProperty(window, 'stagedoorDoor', {value: new Door(sheet).report});
