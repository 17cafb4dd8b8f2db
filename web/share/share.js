// The page of a share link: a visitor meets the persona that the link is for, over the same wire as
// the vendor's client.
//
// The link is used when the visitor asks for it and not when the page is opened: whoever only looks
// at a link, a preview or a crawler, costs it nothing.
//
// SPDX-License-Identifier: Apache-2.0

const REFUSALS = {
  404: 'This link opens nothing here. Ask for a new one where you got it.',
  429: 'There is too much going on just now. Try again in a minute.',
};
const OTHERWISE = 'It did not work. Try again in a moment.';

const part = (id) => document.getElementById(id);

class Refusal extends Error {}

async function ask(path, body, sessionToken) {
  const reply = await fetch(path, {
    method: 'POST',
    headers: {
      'Content-Type': 'application/json',
      ...(sessionToken ? {Authorization: `Bearer ${sessionToken}`} : {}),
    },
    body: JSON.stringify(body),
  });
  if (!reply.ok) throw new Refusal(REFUSALS[reply.status] ?? OTHERWISE);
  return reply.json();
}

// One session, from its token to its end.
class Visit {
  #session;
  #socket;
  #peer;
  #channel;
  #beat;
  #sound = null;
  #heard = {id: '', text: ''};
  #hasEnded = false;
  #onEnd;

  constructor(onEnd) {
    this.#onEnd = onEnd;
  }

  async begin(shareToken) {
    const opened = await ask('/v1/auth/share-link', {shareToken});
    document.title = opened.personaName;
    this.#session = await ask(
        '/v1/engine/session', {clientMetadata: {client: 'share-page'}}, opened.sessionToken);
    await this.#openSocket();
    await this.#offer();
    this.#listen();
  }

  say(content) {
    if (this.#channel?.readyState !== 'open') return false;
    this.#channel.send(JSON.stringify({
      message_type: 'speech',
      content,
      session_id: this.#session.sessionId,
      timestamp: new Date().toISOString().replace('Z', ''),
    }));
    return true;
  }

  end(words = '') {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    clearInterval(this.#beat);
    this.#sound?.stop();
    this.#peer?.close();
    this.#socket?.close();
    this.#onEnd(words);
  }

  #tell(actionType, payload) {
    if (this.#socket.readyState === WebSocket.OPEN)
      this.#socket.send(
          JSON.stringify({actionType, sessionId: this.#session.sessionId, payload}));
  }

  #openSocket() {
    const {sessionId, signallingEndpoint, clientConfig} = this.#session;
    const scheme = location.protocol === 'https:' ? 'wss:' : 'ws:';
    this.#socket =
        new WebSocket(`${scheme}//${location.host}${signallingEndpoint}?session_id=${sessionId}`);
    this.#socket.onmessage = ({data}) => this.#onSignal(JSON.parse(data));
    this.#socket.onclose = () => this.end('The connection was lost.');
    this.#beat = setInterval(
        () => this.#tell('heartbeat', ''), clientConfig.heartbeatIntervalSeconds * 1000);
    return new Promise((resolve) => { this.#socket.onopen = resolve; });
  }

  async #offer() {
    this.#peer = new RTCPeerConnection({iceServers: this.#session.clientConfig.iceServers});
    this.#peer.ontrack = ({streams: [stream]}) => { part('face').srcObject = stream; };
    this.#peer.onconnectionstatechange = () => {
      if (this.#peer.connectionState === 'failed') this.end('The connection was lost.');
    };
    this.#channel = this.#peer.createDataChannel('session', {ordered: true});
    this.#channel.onmessage = ({data}) => this.#onMessage(JSON.parse(data));
    this.#peer.addTransceiver('video', {direction: 'recvonly'});
    this.#peer.addTransceiver('audio', {direction: 'sendrecv'});
    await this.#peer.setLocalDescription(await this.#peer.createOffer());
    this.#tell('offer', {
      connectionDescription: {type: 'offer', sdp: this.#peer.localDescription.sdp},
      userUid: this.#session.sessionId,
    });
  }

  // Without a microphone, or a leave to use it, the visitor writes.
  async #listen() {
    try {
      const stream = await navigator.mediaDevices.getUserMedia(
          {audio: {echoCancellation: true, noiseSuppression: true, autoGainControl: true}});
      [this.#sound] = stream.getAudioTracks();
      if (this.#hasEnded) return this.#sound.stop();
      const [, audio] = this.#peer.getTransceivers();
      await audio.sender.replaceTrack(this.#sound);
    } catch {
      this.#sound = null;
    }
  }

  async #onSignal({actionType, payload}) {
    if (this.#hasEnded) return;
    if (actionType === 'answer') await this.#peer.setRemoteDescription(payload);
    if (actionType === 'icecandidate') await this.#peer.addIceCandidate(payload);
    if (actionType === 'endsession') this.end('It is over.');
  }

  // Shows what is said: the pieces of the persona's message, put together.
  #onMessage({messageType, data}) {
    if (messageType !== 'speechText' || data.role !== 'persona') return;
    if (this.#heard.id !== data.message_id) this.#heard = {id: data.message_id, text: ''};
    this.#heard.text += data.content;
    part('caption').textContent = this.#heard.text;
  }
}

let visit = null;

function show(state, words = '') {
  document.body.dataset.state = state;
  part('meet').hidden = state === 'met';
  part('meet').disabled = state === 'opening';
  part('leave').hidden = part('words').hidden = state !== 'met';
  part('problem').hidden = !words;
  part('problem').textContent = words;
}

async function meet() {
  show('opening');
  part('caption').textContent = '';
  visit = new Visit((words) => show('over', words));
  try {
    await visit.begin(location.pathname.split('/').pop());
    if (document.body.dataset.state === 'opening') show('met');
  } catch (error) {
    visit.end(error instanceof Refusal ? error.message : OTHERWISE);
  }
}

part('meet').addEventListener('click', meet);
part('leave').addEventListener('click', () => visit.end());
part('words').addEventListener('submit', (event) => {
  event.preventDefault();
  const text = part('text').value.trim();
  if (text && visit.say(text)) part('text').value = '';
});
addEventListener('pagehide', () => visit?.end());
