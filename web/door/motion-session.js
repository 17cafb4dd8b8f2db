// One live session with the Motion Server: token, socket, handshake, and utterances one by one.
//
// A session token opens one session, so each open() mints its own; the token lives in one local
// variable, goes into the socket's address, and is kept nowhere. Failures are SessionError, whose
// message is meant for people. After a failure the session is closed and a new one may be opened.
//
// SPDX-License-Identifier: Apache-2.0

import {decodeMessage, MessageType, WireError} from './motion-wire.js';
import {encodeAudioInput, encodeConfigureSession, encodeInterrupt} from './motion-wire.js';

const HANDSHAKE_MS = 10_000;
const CHUNK_BYTES = 6_400;  // 200 ms at 16 kHz
const UNSENT_BYTES_MAX = 512 * 1024;

export class SessionError extends Error {}

function words(status) {
  if (status === 401 || status === 403) return 'The server refused to start a session.';
  if (status === 429)
    return 'The server has as many sessions as it may have. Try again in a moment.';
  if (status === 404)
    return 'This server has no page sessions; was it started with the page turned off?';
  return `The server could not start a session (HTTP ${status}).`;
}

async function mintToken() {
  let answer;
  try {
    answer = await fetch('/door/session', {method: 'POST', cache: 'no-store'});
  } catch {
    throw new SessionError('The server does not answer. Is it running?');
  }
  if (!answer.ok) throw new SessionError(words(answer.status));
  const ticket = await answer.json().catch(() => null);
  const whole = ticket !== null && typeof ticket === 'object' &&
      ['appId', 'avatarId', 'sessionToken'].every((name) => typeof ticket[name] === 'string') &&
      Number.isInteger(ticket.sampleRate);
  if (!whole) throw new SessionError('The server answered with something else than a session.');
  return ticket;
}

function socketAddress(ticket) {
  const address = new URL('/v2/driveningress/websocket', window.location.href);
  address.protocol = address.protocol === 'https:' ? 'wss:' : 'ws:';
  address.search = new URLSearchParams({
                     id: ticket.avatarId,
                     appId: ticket.appId,
                     sessionKey: ticket.sessionToken,
                   }).toString();
  return address;
}

function newRequestId() { return `door_${crypto.getRandomValues(new Uint32Array(3)).join('_')}`; }

// Events, by onEvent(name, detail):
//   minted {appId, avatarId, region, ms}   opened {ms}   confirmed {connectionId, ms}
//   closed {reason}: at most once, after confirmed; every waiting utterance has failed before it.
export class MotionSession {
  sampleRate = 16000;
  #socket = null;
  #onEvent;
  #utterances = new Map();
  #closing = false;
  #settleHandshake = null;

  constructor(onEvent = () => {}) { this.#onEvent = onEvent; }

  get isOpen() {
    return this.#socket !== null && this.#socket.readyState === WebSocket.OPEN &&
        this.#settleHandshake === null;
  }

  // Mints a token and opens the session. Resolves once the server has confirmed it.
  async open() {
    const began = performance.now();
    const ticket = await mintToken();
    this.sampleRate = ticket.sampleRate;
    this.#onEvent('minted', {
      appId: ticket.appId,
      avatarId: ticket.avatarId,
      region: String(ticket.region ?? ''),
      ms: performance.now() - began,
    });
    await this.#connect(socketAddress(ticket));
  }

  #connect(address) {
    const began = performance.now();
    return new Promise((resolve, reject) => {
      const socket = new WebSocket(address);
      socket.binaryType = 'arraybuffer';
      this.#socket = socket;
      const timer =
          setTimeout(() => settle('The server did not open the session in time.'), HANDSHAKE_MS);
      const settle = (problem) => {
        if (this.#settleHandshake === null) return;
        clearTimeout(timer);
        this.#settleHandshake = null;
        if (problem === null) return resolve();
        reject(new SessionError(problem));
        this.close();
      };
      this.#settleHandshake = settle;
      socket.onopen = () => {
        this.#onEvent('opened', {ms: performance.now() - began});
        socket.send(encodeConfigureSession({
          sampleRate: this.sampleRate,
          extraParams: {'stagedoor.blendshapes': 'arkit52'},
        }));
      };
      socket.onmessage = (event) => this.#receive(event.data, began);
      socket.onclose = (event) => this.#closed(event);
    });
  }

  #receive(data, began) {
    try {
      if (!(data instanceof ArrayBuffer)) throw new WireError('text where bytes belong');
      const message = decodeMessage(new Uint8Array(data));
      if (message.type === MessageType.serverError)
        this.#serverError(message.error);
      else if (message.type === MessageType.confirmSession)
        this.#confirmed(message.confirm, began);
      else if (message.type === MessageType.responseAnimation)
        this.#animated(message.response);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.#fail(`The server sent something that this page cannot read (${error.message}).`);
    }
  }

  #confirmed(confirm, began) {
    if (this.#settleHandshake === null) return;
    if (confirm.connectionId === '') throw new WireError('a session without an id');
    this.#onEvent('confirmed', {connectionId: confirm.connectionId, ms: performance.now() - began});
    this.#settleHandshake(null);
  }

  #serverError(error) {
    const said = `The server said: ${error.message || 'no reason'} (code ${error.code}).`;
    if (this.#settleHandshake !== null) return this.#settleHandshake(said);
    const utterance = this.#utterances.get(error.reqId);
    if (utterance === undefined) return this.#fail(said);
    this.#utterances.delete(error.reqId);
    utterance.fail(new SessionError(said));
  }

  #animated(response) {
    const utterance = this.#utterances.get(response.reqId);
    if (utterance === undefined) return;  // One that was interrupted.
    if (response.animation !== null) utterance.onFrames(response.animation);
    if (!response.end) return;
    this.#utterances.delete(response.reqId);
    utterance.done();
  }

  // Sends one utterance. onFrames(animation) is called for each message with frames; the promise
  // resolves after the last of them. `bytes` is 16-bit little-endian mono at sampleRate.
  speak(bytes, onFrames) {
    if (!this.isOpen) return Promise.reject(new SessionError('The session is not open.'));
    const reqId = newRequestId();
    return new Promise((done, fail) => {
      this.#utterances.set(reqId, {onFrames, done, fail});
      this.#send(reqId, bytes).catch((error) => this.#fail(String(error)));
    });
  }

  async #send(reqId, bytes) {
    for (let at = 0; at === 0 || at < bytes.length; at += CHUNK_BYTES) {
      while (this.isOpen && this.#socket.bufferedAmount > UNSENT_BYTES_MAX) {
        await new Promise((resume) => setTimeout(resume, 20));
      }
      if (!this.isOpen || !this.#utterances.has(reqId)) return;
      const audio = bytes.subarray(at, at + CHUNK_BYTES);
      this.#socket.send(encodeAudioInput({reqId, end: at + CHUNK_BYTES >= bytes.length, audio}));
    }
  }

  // Tells the server to stop all that is being spoken; the waiting speak() calls resolve.
  interrupt() {
    for (const [reqId, utterance] of this.#utterances) {
      if (this.isOpen) this.#socket.send(encodeInterrupt({reqId}));
      utterance.done();
    }
    this.#utterances.clear();
  }

  close() {
    this.#closing = true;
    this.#socket?.close(1000);
  }

  #fail(problem) {
    const waiting = [...this.#utterances.values()];
    this.#utterances.clear();
    for (const utterance of waiting) utterance.fail(new SessionError(problem));
    this.close();
  }

  #closed(event) {
    const why =
        event.reason || (event.code === 1006 ? 'no answer, or refused' : `code ${event.code}`);
    if (this.#settleHandshake !== null) {
      return this.#settleHandshake(`The server did not open the session (${why}).`);
    }
    const problem = `The session was closed (${why}).`;
    const wasOurs = this.#closing;
    this.#fail(problem);
    this.#onEvent('closed', {reason: wasOurs ? 'closed by this page' : problem});
  }
}
