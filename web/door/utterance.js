// The faces of one utterance, as they arrive, and the face at any moment of its sound.
//
// Frames are 25 a second; between two of them the face is interpolated linearly. Frames must come
// in order without gaps; an animation that breaks this is refused whole with a RangeError.
//
// SPDX-License-Identifier: Apache-2.0

export const FRAMES_PER_SECOND = 25;

export class Utterance {
  names = [];
  frames = [];
  isWhole = false;

  append(animation) {
    const names = this.names.length > 0 ? this.names : animation.names;
    if (names.length === 0) throw new RangeError('the frames have no names');
    if (animation.firstFrame !== this.frames.length) throw new RangeError('frames are missing');
    if (animation.frames.some((frame) => frame.length !== names.length)) {
      throw new RangeError('a frame does not fit its names');
    }
    this.names = names;
    for (const frame of animation.frames) this.frames.push(frame);
  }

  get seconds() { return this.frames.length / FRAMES_PER_SECOND; }

  column(name) { return this.names.indexOf(name); }

  // Writes the face at `seconds` into `face` (a Map from name to value). Before the first frame and
  // after the last it is that frame's. False while there is no frame at all.
  faceAt(seconds, face) {
    if (this.frames.length === 0) return false;
    const place = Math.max(0, Math.min(this.frames.length - 1, seconds * FRAMES_PER_SECOND));
    const before = this.frames[Math.floor(place)];
    const after = this.frames[Math.min(this.frames.length - 1, Math.floor(place) + 1)];
    const share = place - Math.floor(place);
    for (let at = 0; at < this.names.length; ++at) {
      face.set(this.names[at], before[at] + (after[at] - before[at]) * share);
    }
    return true;
  }
}
