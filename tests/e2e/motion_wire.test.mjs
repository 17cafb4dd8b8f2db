// The page's protobuf against bytes that protoc made of api/motion.proto, and against hostile ones.
// Run: node --test tests/e2e/motion_wire.test.mjs
//
// The bytes come from `protoc --encode=message.Message api/motion.proto`, fed with the text form of
// the message that each test describes.
//
// SPDX-License-Identifier: Apache-2.0

import assert from 'node:assert/strict';
import fs from 'node:fs';
import test from 'node:test';

const source = fs.readFileSync(new URL('../../web/door/motion-wire.js', import.meta.url), 'utf8');
const {
  LIMITS,
  MessageType,
  WireError,
  decodeMessage,
  encodeAudioInput,
  encodeConfigureSession,
  encodeInterrupt,
} = await import(`data:text/javascript,${encodeURIComponent(source)}`);

const hex = (bytes) => Buffer.from(bytes).toString('hex');
const bytes = (text) => new Uint8Array(Buffer.from(text, 'hex'));

function varint(value) {
  const out = [];
  for (; value > 127; value = Math.floor(value / 128)) out.push((value % 128) | 128);
  return [...out, value];
}
const block = (field, content) => [...varint(field * 8 + 2), ...varint(content.length), ...content];
const refused = (message, why) =>
    assert.throws(() => decodeMessage(Uint8Array.from(message)), (error) => {
  assert.ok(error instanceof WireError, String(error));
  assert.match(error.message, why);
  return true;
});
const ANIMATION =
    '0805324b0a016312027231180122100a0e220c0000003f000000000000803fc23e2d0a076a61774f7065' +
    '6e0a076865616459617710ac021a0a0a080000003f000080be1a0a0a080000803f00000000';

test('a configuration is what protoc writes', () => {
  assert.equal(
      hex(encodeConfigureSession(
          {sampleRate: 16000, extraParams: {'stagedoor.blendshapes': 'arkit52'}})),
      '0801122508807d42200a157374616765646f6f722e626c656e64736861706573120761726b69743532');
});

test('audio with and without an end, with and without samples, is what protoc writes', () => {
  const audio = Uint8Array.of(1, 2, 255, 254);
  assert.equal(
      hex(encodeAudioInput({reqId: 'r1', end: true, audio})), '0803220c0a02723110011a040102fffe');
  assert.equal(
      hex(encodeAudioInput({reqId: 'r1', end: true, audio: new Uint8Array()})),
      '080322060a0272311001');
  assert.equal(
      hex(encodeAudioInput({reqId: 'r1', end: false, audio: Buffer.from('ab')})),
      '080322080a0272311a026162');
});

test('a large chunk of audio keeps every byte and its length', () => {
  const audio = Uint8Array.from({length: 70000}, (_, at) => at % 251);
  const message = encodeAudioInput({reqId: 'r1', end: false, audio});
  assert.deepEqual(message.subarray(message.length - audio.length), audio);
  // type, tag 4 and length; req_id; tag 3 and length.
  assert.equal(
      hex(message.subarray(0, message.length - audio.length)), '080322f8a2040a0272311af0a204');
});

test('an interrupt is what protoc writes', () => {
  assert.equal(hex(encodeInterrupt({reqId: 'r1'})), '080742040a027231');
});

test(
    'a confirmation and an error are read as protoc wrote them, a negative code and UTF-8 too',
    () => {
      assert.deepEqual(
          decodeMessage(bytes('08021a0e0a0c32303236303130315f616263')),
          {type: MessageType.confirmSession, confirm: {connectionId: '20260101_abc'}});
      assert.equal(
          decodeMessage(
              bytes('08042a1e0a01631202723118fcffffffffffffffff01220a5a756720c3a46c746572'))
              .error.message,
          'Zug \u00e4lter');
    });

test('an animation gives names, first frame and values, and its other movement is skipped', () => {
  assert.deepEqual(decodeMessage(bytes(ANIMATION)), {
    type: MessageType.responseAnimation,
    response: {
      connectionId: 'c',
      reqId: 'r1',
      end: true,
      animation: {names: ['jawOpen', 'headYaw'], firstFrame: 300, frames: [[0.5, -0.25], [1, 0]]},
    },
  });
});

test('every cut of a message is refused and none is half read', () => {
  const whole = bytes(ANIMATION);
  for (let length = 1; length < whole.length; ++length) {
    // Two cuts stand between whole fields; what is left then lacks the part that the type promises.
    assert.throws(() => decodeMessage(whole.subarray(0, length)), WireError, `cut at ${length}`);
  }
});

test('any flipped bit gives a message or a WireError, never another kind of error', () => {
  const whole = bytes(ANIMATION);
  for (let bit = 0; bit < whole.length * 8; ++bit) {
    const bent = Uint8Array.from(whole);
    bent[bit >> 3] ^= 1 << (bit & 7);
    try {
      decodeMessage(bent);
    } catch (error) {
      assert.ok(error instanceof WireError, `bit ${bit}: ${error}`);
    }
  }
});

test('unknown fields of every wire type are skipped', () => {
  const unknown = [
    ...varint(99 * 8), 5, ...varint(98 * 8 + 1), 1, 2, 3, 4, 5, 6, 7, 8, ...block(97, [1, 2]),
    ...varint(96 * 8 + 5), 1, 2, 3, 4
  ];
  const message =
      decodeMessage(Uint8Array.from([...unknown, ...bytes('08021a030a0161'), ...unknown]));
  assert.equal(message.confirm.connectionId, 'a');
});

test('an unknown type is told and carries nothing', () => {
  assert.deepEqual(decodeMessage(Uint8Array.of(8, 77)), {type: 77});
});

test(
    'a length beyond the end, endless numbers, groups, field 0 and wrong wire types are refused',
    () => {
      refused([8, 2, 0x1a, 200, 1, 10], /cut short/);
      refused([8, ...Array(10).fill(255), 1], /too long/);
      refused([8, 2, 0x0b], /wire type/);
      refused([0, 1], /field number/);
      refused([8, 2, 3 * 8, 1], /wire type/);
      refused([8, 2], /lacks/);
    });

test('bad UTF-8, values that are no numbers, and floats cut short are refused', () => {
  refused([8, 2, ...block(3, block(1, [0xc3, 0x28]))], /UTF-8/);
  const animation = (frame) => [8, 5, ...block(6, block(1000, block(3, block(1, frame))))];
  refused(animation([0, 0, 0xc0, 0x7f]), /finite/);
  refused(animation([0, 0, 0x80, 0x7f]), /finite/);
  refused(animation([0, 0, 0]), /cut short/);
});

test('what the page loops over is bounded', () => {
  const many = (count, one) => Array.from({length: count}, () => one).flat();
  const inside = (content) => [8, 5, ...block(6, block(1000, content))];
  refused(inside(many(LIMITS.names + 1, block(1, [97]))), /too many names/);
  refused(inside(many(LIMITS.framesPerMessage + 1, block(3, []))), /too many frames/);
  refused(many(LIMITS.fieldsPerMessage + 1, [8, 2]), /too many fields/);
  refused(inside(block(3, block(1, many((LIMITS.names + 1) * 4, 0)))), /more values/);
  refused([8, 2, ...block(3, block(1, many(LIMITS.stringBytes + 1, 97)))], /too long/);
  assert.throws(() => decodeMessage(new Uint8Array(LIMITS.messageBytes + 1)), WireError);
});
