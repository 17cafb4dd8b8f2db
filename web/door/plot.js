// The small picture under the buttons: the sound above, how far the jaw is open below, and where
// playing is now.
//
// SPDX-License-Identifier: Apache-2.0

import {outline} from './sound.js';
import {FRAMES_PER_SECOND} from './utterance.js';

const COLUMNS = 240;

export class Plot {
  #canvas;
  #pairs = [];
  #loudest = 1;
  #seconds = 1;

  constructor(canvas) { this.#canvas = canvas; }

  show(sound) {
    this.#pairs = outline(sound, COLUMNS);
    this.#loudest = Math.max(0.05, ...this.#pairs.map(([low, high]) => Math.max(-low, high)));
    this.#seconds = sound.duration;
  }

  // `frames` as in Utterance; `column` is jawOpen's place in a frame, or -1.
  draw(frames, column, nowSeconds) {
    const canvas = this.#canvas;
    const ratio = Math.min(window.devicePixelRatio || 1, 2);
    const width = Math.round(canvas.clientWidth * ratio);
    const height = Math.round(canvas.clientHeight * ratio);
    if (canvas.width !== width) canvas.width = width;
    if (canvas.height !== height) canvas.height = height;
    const pen = canvas.getContext('2d');
    const style = getComputedStyle(canvas);
    pen.clearRect(0, 0, width, height);
    this.#sound(pen, style, width, height * 0.56);
    this.#jaw(pen, style, width, height * 0.6, height, {frames, column});
    if (this.#pairs.length === 0) return;
    const x = Math.max(0, Math.min(1, nowSeconds / this.#seconds)) * width;
    pen.fillStyle = style.getPropertyValue('--ink');
    pen.fillRect(Math.min(x, width - ratio), 0, 1.5 * ratio, height);
  }

  #sound(pen, style, width, height) {
    pen.fillStyle = style.getPropertyValue('--sound');
    const middle = height / 2;
    if (this.#pairs.length === 0) return pen.fillRect(0, middle, width, 1);
    const step = width / COLUMNS;
    this.#pairs.forEach(([low, high], column) => {
      const top = middle - (high / this.#loudest) * middle;
      const tall = ((high - low) / this.#loudest) * middle;
      pen.fillRect(column * step, top, Math.max(1, step * 0.7), Math.max(1, tall));
    });
  }

  #jaw(pen, style, width, top, bottom, {frames, column}) {
    const colour = style.getPropertyValue('--jaw');
    const base = bottom - 2;
    pen.fillStyle = pen.strokeStyle = colour;
    if (column < 0 || frames.length === 0) return pen.fillRect(0, base, width, 1);
    const xOf = (index) => (index / FRAMES_PER_SECOND / this.#seconds) * width;
    pen.beginPath();
    pen.moveTo(0, base);
    frames.forEach(
        (frame, index) => pen.lineTo(xOf(index), base - Math.min(1, frame[column]) * (base - top)));
    pen.lineWidth = 2;
    pen.lineJoin = 'round';
    pen.stroke();
    pen.lineTo(xOf(frames.length - 1), base);
    pen.closePath();
    pen.globalAlpha = 0.18;
    pen.fill();
    pen.globalAlpha = 1;
  }
}
