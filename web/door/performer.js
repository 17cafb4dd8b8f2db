// Joins sound and face: while a sound plays, the face of the moment that is heard; else idle life.
//
// The audio clock leads. Inputs that only the frames know (mouth, jaw, cheeks) are drawn exactly as
// they came, so that lips and sound cannot part; those that idle life moves too (blinks, head,
// gaze, brows, the hint of a smile) cross over softly at both ends.
//
// SPDX-License-Identifier: Apache-2.0

import {breathAt, idleFace} from './idle-life.js';
import {Playback} from './sound.js';

const CROSSING_SECONDS = 0.28;
const DRAWN_MAX = 20_000;

const ease = (share) => (share <= 0 ? 0 : share >= 1 ? 1 : share * share * (3 - 2 * share));

export class Performer {
  #view;
  #lessMotion = window.matchMedia('(prefers-reduced-motion: reduce)');
  #onFrame;
  #playback = null;
  #utterance = null;
  #seconds = 0;
  #last = new Map();     // The last face of the utterance that ended,
  #endedAt = -Infinity;  // and when, on the page's clock in seconds.
  #drawn = [];
  #soundEndedAt = null;
  #faceEndedAt = null;

  // onFrame({playing, seconds}) follows each drawing.
  constructor(view, onFrame) {
    this.#view = view;
    this.#onFrame = onFrame;
    const draw = () => {
      this.#draw(performance.now() / 1000);
      requestAnimationFrame(draw);
    };
    requestAnimationFrame(draw);
  }

  get isPlaying() { return this.#playback !== null; }

  // What was drawn while the last sound played: {seconds (of the sound), jawOpen}.
  get drawn() { return this.#drawn.map((entry) => ({...entry})); }

  // Where in the sound each of them ended, in seconds; null until then.
  get ends() { return {sound: this.#soundEndedAt, face: this.#faceEndedAt}; }

  // Plays `sound` with the faces of `utterance`, which may still be arriving. Resolves when the
  // sound is over or was stopped.
  play(context, sound, utterance) {
    this.stop();
    this.#utterance = utterance;
    this.#seconds = sound.duration;
    this.#drawn = [];
    this.#soundEndedAt = this.#faceEndedAt = null;
    return new Promise((resolve) => {
      const playback = new Playback(context, sound, () => {
        if (this.#playback === playback) {
          this.#soundEndedAt = playback.time();
          this.#rest();
        }
        resolve();
      });
      this.#playback = playback;
    });
  }

  stop() {
    this.#playback?.stop();
    this.#rest();
  }

  #rest() {
    if (this.#playback === null) return;
    this.#playback = null;
    if (this.#faceEndedAt === null) this.#faceEndedAt = this.#soundEndedAt;
    this.#endedAt = performance.now() / 1000;
  }

  #draw(clock) {
    const face = new Map();
    const idle = new Map();
    idleFace(clock, idle, {calm: this.#lessMotion.matches});
    const seconds = this.#playback === null ? -1 : this.#playback.time();
    const speaks = seconds >= 0 && seconds < this.#seconds && this.#utterance.faceAt(seconds, face);
    if (speaks) {
      this.#last = new Map(face);
      const share = ease(seconds / CROSSING_SECONDS);
      for (const [name, value] of idle)
        face.set(name, value + ((face.get(name) ?? 0) - value) * share);
      if (this.#drawn.length < DRAWN_MAX)
        this.#drawn.push({seconds, jawOpen: face.get('jawOpen') ?? 0});
    } else {
      if (this.#playback !== null && seconds >= this.#seconds && this.#faceEndedAt === null) {
        this.#faceEndedAt = seconds;
        this.#endedAt = clock;
      }
      const left = 1 - ease((clock - this.#endedAt) / CROSSING_SECONDS);
      for (const name of [...this.#last.keys(), ...idle.keys()]) {
        const rest = idle.get(name) ?? 0;
        face.set(name, rest + ((this.#last.get(name) ?? rest) - rest) * left);
      }
    }
    if (!this.#lessMotion.matches) face.set('breath', breathAt(clock));
    this.#view.fit();
    this.#view.render(face);
    this.#onFrame({playing: this.#playback !== null, seconds: Math.max(0, seconds)});
  }
}
