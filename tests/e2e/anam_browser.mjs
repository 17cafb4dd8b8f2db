// What the programs share that drive the vendor's published client, unmodified, in headless
// Chromium against a running server: a site with a page of its own (anam_page.js) and a backend for
// the token, browsers with and without a microphone, and what can be seen and heard in a page.
//
// Environment: STAGEDOOR_URL, STAGEDOOR_KEY.
//
// SPDX-License-Identifier: Apache-2.0

import fs from 'node:fs';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import {fileURLToPath} from 'node:url';
import * as esbuild from 'esbuild';
import {chromium} from 'playwright-core';

export const {STAGEDOOR_URL: server, STAGEDOOR_KEY: key} = process.env;
export const PATIENCE_MS = 20_000;
export const PERSONA = {
  name: 'Cara',
  avatarId: '30fa96d0-26c4-4e55-94a0-517025942e18',
  voiceId: '6bfbe25a-979d-40f3-a92b-5394170af54b',
  llmId: 'a7cf662c-2ace-4de1-a21e-ef0fbf144bb7',
  systemPrompt: 'You are Cara.\nQ: When do you open?\nA: We open at nine in the morning.',
};

export function demand(holds, words) {
  if (!holds) throw new Error(words);
}

export async function call(method, place, body, bearer = key) {
  const reply = await fetch(server + place, {
    method,
    headers: {'Content-Type': 'application/json', Authorization: `Bearer ${bearer}`},
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  return {status: reply.status, body: await reply.json().catch(() => null)};
}

export async function mint(persona = {}, session = undefined) {
  const {status, body} = await call(
      'POST', '/v1/auth/session-token',
      {personaConfig: {...PERSONA, ...persona}, ...(session ? {sessionOptions: session} : {})});
  demand(status === 200, `minting gave ${status} ${JSON.stringify(body)}`);
  return body.sessionToken;
}

// The live sessions of the key's app.
export async function liveSessions() {
  return (await call('GET', '/v1/live-sessions')).body.data;
}

// TypeScript or JavaScript with the client that it imports, as one script.
export async function bundle(contents) {
  const built = await esbuild.build({
    stdin: {contents, resolveDir: fileURLToPath(new URL('.', import.meta.url)), loader: 'ts'},
    bundle: true,
    write: false,
    format: 'iife'
  });
  return built.outputFiles[0].text;
}

export const ourPage = () =>
    bundle(fs.readFileSync(new URL('anam_page.js', import.meta.url), 'utf8'));

async function tokenFrom(backend) {
  if (!backend) return JSON.stringify({sessionToken: await mint()});
  return (await fetch(`${backend}/api/session-token`, {method: 'POST'})).text();
}

// The site whose pages use the client: its page, and its backend for the token, which is another
// server where `backend` names one.
export function openSite(script, backend) {
  const page = `<!doctype html><meta charset="utf-8"><title>A persona</title>
    <video id="persona-video" autoplay playsinline style="width: 720px"></video>
    <script>${script.replaceAll('</script', '<\\/script')}</script>`;
  const site = http.createServer(async (request, reply) => {
    if (request.url !== '/api/session-token')
      return reply.setHeader('Content-Type', 'text/html').end(page);
    reply.setHeader('Content-Type', 'application/json').end(await tokenFrom(backend));
  });
  return new Promise((resolve) => {
    site.listen(0, '127.0.0.1', () => resolve({
      address: `http://localhost:${site.address().port}/`,
      close: () => site.close(),
    }));
  });
}

// A second of mono sound as a WAV file; `sampleAt` gives each of its samples.
export function writeSound(file, sampleAt, samples = 48_000) {
  const wav = Buffer.alloc(44 + samples * 2);
  wav.write('RIFF', 0);
  wav.writeUInt32LE(36 + samples * 2, 4);
  wav.write('WAVEfmt ', 8);
  wav.writeUInt32LE(16, 16);
  wav.writeUInt16LE(1, 20);
  wav.writeUInt16LE(1, 22);
  wav.writeUInt32LE(48_000, 24);
  wav.writeUInt32LE(96_000, 28);
  wav.writeUInt16LE(2, 32);
  wav.writeUInt16LE(16, 34);
  wav.write('data', 36);
  wav.writeUInt32LE(samples * 2, 40);
  for (let at = 0; at < samples; ++at) wav.writeInt16LE(sampleAt(at), 44 + at * 2);
  fs.writeFileSync(file, wav);
}

// The browser's own fake device beeps each second; the granted one is in a silent room.
const room = fs.mkdtempSync(path.join(os.tmpdir(), 'stagedoor-room-'));
const silence = path.join(room, 'silence.wav');
writeSound(silence, () => 0);
process.on('exit', () => fs.rmSync(room, {recursive: true, force: true}));

const FAKE = ['--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream'];
const MICROPHONES = {
  granted: [...FAKE, `--use-file-for-fake-audio-capture=${silence}`],
  beeping: FAKE,
  denied: [],
};

// A browser that can be killed: `{browser, kill}`. `microphone` is one of the above.
export async function launch(microphone, more = []) {
  const process = await chromium.launchServer({
    executablePath: '/usr/bin/chromium',
    args: [
      '--headless=new', '--no-sandbox', '--disable-gpu', '--no-first-run',
      '--autoplay-policy=no-user-gesture-required', ...MICROPHONES[microphone], ...more
    ],
  });
  return {browser: await chromium.connect(process.wsEndpoint()), kill: () => process.kill()};
}

export async function browse(microphone, run, more = []) {
  const {browser, kill} = await launch(microphone, more);
  try {
    await run(browser);
  } finally {
    await browser.close();
    await kill();
  }
}

// A page on which the client has been asked to begin.
export async function begin(browser, address, {options = {}, persona = {}, session} = {}) {
  const context = await browser.newContext();
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  await page.goto(address);
  const token = await mint(persona, session);
  await page.evaluate(([...values]) => window.begin(...values), [token, server, options]);
  return page;
}

export const event = (page, name, patience = PATIENCE_MS) =>
    page.waitForFunction((wanted) => wanted in window.notes.events, name, {timeout: patience});

// Two looks at a playing video, with what has moved since the look before.
export async function looks(page) {
  for (const name of ['CONNECTION_ESTABLISHED', 'SESSION_READY', 'VIDEO_PLAY_STARTED'])
    await event(page, name);
  await page.evaluate(() => window.picture());
  await page.waitForTimeout(600);
  const first = await page.evaluate(() => window.picture());
  await page.waitForTimeout(400);
  return [first, await page.evaluate(() => window.picture())];
}

export async function playing(page) {
  const [first, second] = await looks(page);
  demand(second.time > first.time, `the video stands at ${second.time} s`);
  demand(first.mean > 10 && first.mean < 245, `the picture is blank (${first.mean})`);
  demand(first.moved + second.moved > 0, 'no pixel moves');
  demand(first.width === 720 && first.height === 480, `${first.width}x${first.height}`);
}

export async function calm(page) {
  for (let silent = 0; silent < 10;) {
    await page.waitForTimeout(100);
    const waited = await page.evaluate(() => window.waitForSound(false, 15_000));
    silent = waited >= 0 && waited < 20 ? silent + 1 : 0;
  }
}

// Milliseconds from the call to the first sound; -1: none came.
export const talk = (page, words) => page.evaluate(async (text) => {
  const sound = window.waitForSound(true, 10_000);
  await window.client.talk(text);
  return sound;
}, words);
