// The life of the face between utterances: blinks, breath, and small movements of head and gaze.
//
// Everything is a function of time alone, so that the same second always looks the same. Angles are
// in radians and stay small.
//
// SPDX-License-Identifier: Apache-2.0

const BLINK_SECONDS = 0.26;
const BLINK_EVERY_SECONDS = 3.7;

// A number in 0..1 that looks random and depends on `index` alone.
function scatter(index) {
  const value = Math.sin(index * 127.1 + 11.7) * 43758.5453;
  return value - Math.floor(value);
}

// How far the lids are closed, 0..1: each span of BLINK_EVERY_SECONDS holds one blink somewhere.
export function blinkAt(seconds) {
  const span = Math.floor(seconds / BLINK_EVERY_SECONDS);
  const begins = (span + 0.15 + 0.6 * scatter(span)) * BLINK_EVERY_SECONDS;
  const share = (seconds - begins) / BLINK_SECONDS;
  if (share <= 0 || share >= 1) return 0;
  return share < 0.35 ? Math.sin((share / 0.35) * (Math.PI / 2)) :
                        Math.cos(((share - 0.35) / 0.65) * (Math.PI / 2));
}

// The gaze rests on a point for a while, then jumps: eyes never drift evenly.
function gazeAt(seconds) {
  const span = Math.floor(seconds / 2.3);
  const share = Math.min(1, (seconds / 2.3 - span) / 0.06);
  const at = (index, salt) =>
      (scatter(index * 2 + salt) - 0.5) * (scatter(index) > 0.45 ? 1 : 0.25);
  const between = (salt) => at(span - 1, salt) + (at(span, salt) - at(span - 1, salt)) * share;
  return [between(0.3) * 0.22, between(0.7) * 0.12];
}

// Writes the idle face at `seconds` into `face`, setting the inputs it knows and no others. `calm`,
// for people who asked their system for less motion, leaves the blinks and stills the rest.
export function idleFace(seconds, face, {calm = false} = {}) {
  const wave = (period, phase) => (calm ? 0 : Math.sin((seconds / period) * 2 * Math.PI + phase));
  const blink = blinkAt(seconds);
  const [gazeX, gazeY] = calm ? [0, 0] : gazeAt(seconds);
  face.set('eyeBlinkLeft', blink);
  face.set('eyeBlinkRight', blink);
  face.set('eyeYaw', gazeX);
  face.set('eyePitch', gazeY);
  face.set('headYaw', 0.035 * wave(7.3, 0) + 0.02 * wave(3.1, 1));
  face.set('headPitch', 0.016 * wave(5.9, 2) + 0.008 * wave(2.7, 0.4));
  face.set('headRoll', 0.014 * wave(9.7, 1.3));
  face.set('mouthSmileLeft', 0.16 + 0.04 * wave(11, 0.2));
  face.set('mouthSmileRight', 0.16 + 0.04 * wave(11, 0));
  face.set('browInnerUp', 0.06 + 0.05 * wave(8.1, 0.9));
}

// Breath, 0..1, which goes on while speaking too.
export function breathAt(seconds) { return 0.5 - 0.5 * Math.cos((seconds / 3.9) * 2 * Math.PI); }
