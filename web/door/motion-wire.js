// The Motion Server's protobuf messages (api/motion.proto), as far as the page speaks them.
//
// Encoders give a Uint8Array, one `Message`, ready for one binary WebSocket frame. decodeMessage()
// is strict: what it does not know it skips, as protobuf asks, but a length beyond the end, a wrong
// wire type of a known field, bad UTF-8, or more of anything than the limits below is a WireError,
// and nothing is half read. Everything that it loops over is bounded by LIMITS.
//
// SPDX-License-Identifier: Apache-2.0

export const LIMITS = Object.freeze({
  messageBytes: 8 * 1024 * 1024,
  stringBytes: 4096,
  names: 256,
  framesPerMessage: 4096,
  fieldsPerMessage: 16384,
});

export const MessageType = Object.freeze({
  configureSession: 1,
  confirmSession: 2,
  audioInput: 3,
  serverError: 4,
  responseAnimation: 5,
  interrupt: 7,
});

export class WireError extends Error {}

const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;
const FIXED32 = 5;

// ---- Writing -------------------------------------------------------------------------------

class Writer {
  #bytes = [];

  varint(value) {
    let rest = value;
    while (rest > 127) {
      this.#bytes.push((rest & 127) | 128);
      rest >>>= 7;
    }
    this.#bytes.push(rest);
    return this;
  }

  number(field, value) {
    return value === 0 ? this : this.varint((field << 3) | VARINT).varint(value);
  }

  block(field, bytes) {
    this.varint((field << 3) | BYTES).varint(bytes.length);
    for (const byte of bytes) this.#bytes.push(byte);
    return this;
  }

  text(field, value) {
    return value === '' ? this : this.block(field, new TextEncoder().encode(value));
  }

  done() { return Uint8Array.from(this.#bytes); }
}

function message(type, field, body) {
  const head = new Writer().number(1, type).varint((field << 3) | BYTES).varint(body.length).done();
  const whole = new Uint8Array(head.length + body.length);
  whole.set(head);
  whole.set(body, head.length);
  return whole;
}

// PCM, no egress. `extraParams` is a plain object of strings.
export function encodeConfigureSession({sampleRate, extraParams = {}}) {
  const body = new Writer().number(1, sampleRate);
  for (const [key, value] of Object.entries(extraParams)) {
    body.block(8, new Writer().text(1, key).text(2, value).done());
  }
  return message(MessageType.configureSession, 2, body.done());
}

// `audio` is a Uint8Array of little-endian 16-bit samples; it may be empty.
export function encodeAudioInput({reqId, end, audio}) {
  const head = new Writer().text(1, reqId).number(2, end ? 1 : 0);
  if (audio.length === 0) return message(MessageType.audioInput, 4, head.done());
  const start = head.varint((3 << 3) | BYTES).varint(audio.length).done();
  const body = new Uint8Array(start.length + audio.length);
  body.set(start);
  body.set(audio, start.length);
  return message(MessageType.audioInput, 4, body);
}

export function encodeInterrupt({reqId}) {
  return message(MessageType.interrupt, 8, new Writer().text(1, reqId).done());
}

// ---- Reading -------------------------------------------------------------------------------

const utf8 = new TextDecoder('utf-8', {fatal: true});

class Reader {
  #bytes;
  #at = 0;
  #fields = 0;

  constructor(bytes) { this.#bytes = bytes; }

  // Calls take(field, wireType) for each field; take() must read or skip exactly that field.
  each(take) {
    while (this.#at < this.#bytes.length) {
      if (++this.#fields > LIMITS.fieldsPerMessage) throw new WireError('too many fields');
      const tag = this.varint();
      const field = Math.floor(tag / 8);
      if (field === 0 || field > 0x1fffffff) throw new WireError('field number out of range');
      take(field, tag % 8);
    }
  }

  // Exact up to 2^53; a larger number loses its lowest bits, which no field of ours uses.
  varint() {
    let value = 0;
    let scale = 1;
    for (let count = 0; count < 10; ++count) {
      if (this.#at >= this.#bytes.length) throw new WireError('number cut short');
      const byte = this.#bytes[this.#at++];
      value += (byte & 127) * scale;
      if (byte < 128) return value;
      scale *= 128;
    }
    throw new WireError('number too long');
  }

  number(wireType) {
    expect(wireType, VARINT);
    return this.varint();
  }

  int32(wireType) { return this.number(wireType) | 0; }

  bytes(wireType) {
    expect(wireType, BYTES);
    return this.take(this.varint());
  }

  text(wireType) {
    const bytes = this.bytes(wireType);
    if (bytes.length > LIMITS.stringBytes) throw new WireError('text too long');
    try {
      return utf8.decode(bytes);
    } catch {
      throw new WireError('text is not UTF-8');
    }
  }

  take(length) {
    if (length > this.#bytes.length - this.#at) throw new WireError('field cut short');
    const bytes = this.#bytes.subarray(this.#at, this.#at + length);
    this.#at += length;
    return bytes;
  }

  skip(wireType) {
    if (wireType === VARINT)
      this.varint();
    else if (wireType === FIXED64)
      this.take(8);
    else if (wireType === BYTES)
      this.take(this.varint());
    else if (wireType === FIXED32)
      this.take(4);
    else
      throw new WireError(`wire type ${wireType} does not exist`);
  }
}

function expect(found, wanted) {
  if (found !== wanted) throw new WireError(`wire type ${found} where ${wanted} belongs`);
}

function appendFloats(values, bytes, most) {
  if (bytes.length % 4 !== 0) throw new WireError('packed floats cut short');
  if (values.length + bytes.length / 4 > most) throw new WireError('more values than names');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at < bytes.length; at += 4) {
    const value = view.getFloat32(at, true);
    if (!Number.isFinite(value)) throw new WireError('value is not a finite number');
    values.push(value);
  }
}

function decodeFrame(bytes) {
  const values = [];
  const reader = new Reader(bytes);
  reader.each((field, wireType) => {
    if (field !== 1) return reader.skip(wireType);
    // A repeated float may come packed or one by one (protobuf encoding, "packed repeated fields").
    const block = wireType === FIXED32 ? reader.take(4) : reader.bytes(wireType);
    appendFloats(values, block, LIMITS.names);
  });
  return values;
}

function decodeNamedAnimation(bytes) {
  const animation = {names: [], firstFrame: 0, frames: []};
  const reader = new Reader(bytes);
  reader.each((field, wireType) => {
    if (field === 1) {
      if (animation.names.length >= LIMITS.names) throw new WireError('too many names');
      animation.names.push(reader.text(wireType));
    } else if (field === 2) {
      animation.firstFrame = reader.number(wireType);
      if (animation.firstFrame > 0xffffffff) throw new WireError('frame number out of range');
    } else if (field === 3) {
      if (animation.frames.length >= LIMITS.framesPerMessage)
        throw new WireError('too many frames');
      animation.frames.push(decodeFrame(reader.bytes(wireType)));
    } else {
      reader.skip(wireType);
    }
  });
  return animation;
}

function decodeConfirm(bytes) {
  const confirm = {connectionId: ''};
  const reader = new Reader(bytes);
  reader.each((field, wireType) => {
    if (field === 1)
      confirm.connectionId = reader.text(wireType);
    else
      reader.skip(wireType);
  });
  return confirm;
}

function decodeServerError(bytes) {
  const error = {connectionId: '', reqId: '', code: 0, message: ''};
  const reader = new Reader(bytes);
  reader.each((field, wireType) => {
    if (field === 1)
      error.connectionId = reader.text(wireType);
    else if (field === 2)
      error.reqId = reader.text(wireType);
    else if (field === 3)
      error.code = reader.int32(wireType);
    else if (field === 4)
      error.message = reader.text(wireType);
    else
      reader.skip(wireType);
  });
  return error;
}

function decodeResponse(bytes) {
  const response = {connectionId: '', reqId: '', end: false, animation: null};
  const reader = new Reader(bytes);
  reader.each((field, wireType) => {
    if (field === 1)
      response.connectionId = reader.text(wireType);
    else if (field === 2)
      response.reqId = reader.text(wireType);
    else if (field === 3)
      response.end = reader.number(wireType) !== 0;
    else if (field === 1000)
      response.animation = decodeNamedAnimation(reader.bytes(wireType));
    else
      reader.skip(wireType);
  });
  return response;
}

// One whole message as {type, confirm | error | response}; only the part that `type` promises is
// there. Types that the page does not know come back as {type} alone. Throws WireError.
export function decodeMessage(bytes) {
  if (bytes.length > LIMITS.messageBytes) throw new WireError('message too long');
  const decoded = {type: 0};
  const reader = new Reader(bytes);
  reader.each((field, wireType) => {
    if (field === 1)
      decoded.type = reader.int32(wireType);
    else if (field === 3)
      decoded.confirm = decodeConfirm(reader.bytes(wireType));
    else if (field === 5)
      decoded.error = decodeServerError(reader.bytes(wireType));
    else if (field === 6)
      decoded.response = decodeResponse(reader.bytes(wireType));
    else
      reader.skip(wireType);
  });
  const parts = {
    [MessageType.confirmSession]: 'confirm',
    [MessageType.serverError]: 'error',
    [MessageType.responseAnimation]: 'response',
  };
  const part = parts[decoded.type];
  if (part === undefined) return {type: decoded.type};
  if (decoded[part] === undefined) throw new WireError('the message lacks what its type promises');
  return {type: decoded.type, [part]: decoded[part]};
}
