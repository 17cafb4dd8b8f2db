// Drives the published @anam-ai/js-sdk, unmodified, in headless Chromium against a running server,
// and prints a line for each check (report.py): page loads with a fake microphone and without
// permission for one, a conversation, and an end from outside.
//
// Environment: STAGEDOOR_URL, STAGEDOOR_KEY, NPM_FOLDER, PLAYWRIGHT (a folder with playwright-core),
// CONFORM_LOADS (of each kind), SCREENSHOTS, and DOCUMENT_PAGE: a file with the page of the
// vendor's document; absent: that part is skipped.
//
// SPDX-License-Identifier: Apache-2.0

import fs from 'node:fs';
import http from 'node:http';
import {createRequire} from 'node:module';
import path from 'node:path';

const {STAGEDOOR_URL: server, STAGEDOOR_KEY: key, NPM_FOLDER, SCREENSHOTS} = process.env;
const fromPackages = createRequire(path.join(NPM_FOLDER, 'index.js'));
const fromPlaywright = createRequire(path.join(process.env.PLAYWRIGHT, 'index.js'));
const esbuild = fromPackages('esbuild');
const {chromium} = fromPlaywright('playwright-core');

const LOADS = Number(process.env.CONFORM_LOADS ?? 20);
const PATIENCE_MS = 20_000;
const PERSONA = {
  name: 'Cara',
  avatarId: '30fa96d0-26c4-4e55-94a0-517025942e18',
  voiceId: '6bfbe25a-979d-40f3-a92b-5394170af54b',
  llmId: 'a7cf662c-2ace-4de1-a21e-ef0fbf144bb7',
  systemPrompt: 'You are Cara.\nQ: When do you open?\nA: We open at nine in the morning.',
};

async function check(words, run) {
  try {
    const more = await run();
    console.log(`ok ${words}${more ? ` (${more})` : ''}`);
  } catch (error) {
    console.log(`FAIL ${words}: ${error.message.split('\n')[0]}`);
    process.exitCode = 1;
  }
}

function demand(holds, words) {
  if (!holds) throw new Error(words);
}

async function call(method, place, body, bearer = key) {
  const reply = await fetch(server + place, {
    method,
    headers: {'Content-Type': 'application/json', Authorization: `Bearer ${bearer}`},
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  return {status: reply.status, body: await reply.json().catch(() => null)};
}

async function mint(persona = {}) {
  const {status, body} =
      await call('POST', '/v1/auth/session-token', {personaConfig: {...PERSONA, ...persona}});
  demand(status === 200, `minting gave ${status} ${JSON.stringify(body)}`);
  return body.sessionToken;
}

async function bundle(contents) {
  const built = await esbuild.build({
    stdin: {contents, resolveDir: NPM_FOLDER, loader: 'ts'},
    bundle: true,
    write: false,
    format: 'iife'
  });
  return built.outputFiles[0].text;
}

// The site whose pages use the client: its page, and its backend for the token.
function openSite(script) {
  const page = `<!doctype html><meta charset="utf-8"><title>A persona</title>
    <video id="persona-video" autoplay playsinline style="width: 720px"></video>
    <script>${script.replaceAll('</script', '<\\/script')}</script>`;
  const site = http.createServer(async (request, reply) => {
    if (request.url !== '/api/session-token')
      return reply.setHeader('Content-Type', 'text/html').end(page);
    reply.setHeader('Content-Type', 'application/json')
        .end(JSON.stringify({sessionToken: await mint()}));
  });
  return new Promise((resolve) => {
    site.listen(0, '127.0.0.1', () => resolve({
      address: `http://localhost:${site.address().port}/`,
      close: () => site.close(),
    }));
  });
}

// The browser's own fake device beeps each second, which is heard as a voice that interrupts; this
// one is in a silent room.
const silence = path.join(SCREENSHOTS, 'silence.wav');
function writeSilence() {
  const samples = 48_000;
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
  fs.writeFileSync(silence, wav);
}

const MICROPHONES = {
  granted: [
    '--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream',
    `--use-file-for-fake-audio-capture=${silence}`
  ],
  denied: [],
};

async function browse(microphone, run) {
  const browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: [
      '--headless=new', '--no-sandbox', '--disable-gpu', '--no-first-run',
      '--autoplay-policy=no-user-gesture-required', ...MICROPHONES[microphone]
    ],
  });
  try {
    await run(browser);
  } finally {
    await browser.close();
  }
}

async function begin(browser, address, {options = {}, persona = {}} = {}) {
  const context = await browser.newContext();
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  await page.goto(address);
  const token = await mint(persona);
  await page.evaluate(([...values]) => window.begin(...values), [token, server, options]);
  return page;
}

const event = (page, name, patience = PATIENCE_MS) =>
    page.waitForFunction((wanted) => wanted in window.notes.events, name, {timeout: patience});

async function playing(page) {
  for (const name of ['CONNECTION_ESTABLISHED', 'SESSION_READY', 'VIDEO_PLAY_STARTED'])
    await event(page, name);
  await page.evaluate(() => window.picture());
  await page.waitForTimeout(600);
  const first = await page.evaluate(() => window.picture());
  await page.waitForTimeout(400);
  const second = await page.evaluate(() => window.picture());
  demand(second.time > first.time, `the video stands at ${second.time} s`);
  demand(first.mean > 10 && first.mean < 245, `the picture is blank (${first.mean})`);
  demand(first.moved + second.moved > 0, 'no pixel moves');
  demand(first.width === 720 && first.height === 480, `${first.width}x${first.height}`);
}

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

async function loadPages(address, microphone) {
  await browse(microphone, async (browser) => {
    await check(`${LOADS} page loads, microphone ${microphone}`, async () => {
      const shown = [];
      for (let load = 0; load < LOADS; ++load) {
        const page = await begin(browser, address);
        await playing(page).catch(async (error) => {
          const events = await page.evaluate(() => window.notes.events);
          throw new Error(`load ${load}: ${error.message} after ${JSON.stringify(events)}`);
        });
        await page.evaluate(() => window.listen());
        const heard = await page.evaluate((patience) => window.waitForSound(true, patience),
                                          PATIENCE_MS);
        demand(heard >= 0, `load ${load}: nothing was heard`);
        shown.push(await page.evaluate(() => window.notes.events.VIDEO_PLAY_STARTED));
        if (load === 0)
          await page.screenshot({path: path.join(SCREENSHOTS, `live-face-${microphone}.png`)});
        await page.evaluate(() => window.client.stopStreaming());
        await page.context().close();
      }
      return `first picture ${median(shown)} ms after the call, at most ${Math.max(...shown)} ms`;
    });
  });
}

// A page whose persona has been greeted by, and is silent now.
async function quiet(page) {
  await playing(page);
  await page.evaluate(() => window.listen());
  for (let calm = 0; calm < 10;) {
    await page.waitForTimeout(100);
    const silent = await page.evaluate(() => window.waitForSound(false, 15_000));
    calm = silent >= 0 && silent < 20 ? calm + 1 : 0;
  }
}

async function converse(address) {
  await browse('granted', async (browser) => {
    const persona = {skipGreeting: true};
    const page = await begin(browser, address, {persona, options: {disableInputAudio: true}});
    await check('a page without input audio plays', () => quiet(page));

    await check('talk() is heard', async () => {
      const heard = await page.evaluate(async () => {
        const sound = window.waitForSound(true, 10_000);
        await window.client.talk('Good morning, this is what I was asked to say.');
        return sound;
      });
      demand(heard >= 0, 'nothing was heard');
      return `after ${heard} ms`;
    });

    await check('an interruption stops the sound', async () => {
      const stopped = await page.evaluate(async () => {
        window.client.interruptPersona();
        return window.waitForSound(false, 5000);
      });
      demand(stopped >= 0 && stopped < 1000, `it took ${stopped} ms`);
      return `after ${stopped} ms`;
    });

    await check('a question is answered in words and sound', async () => {
      const asked = await page.evaluate(async () => {
        const sound = window.waitForSound(true, 10_000);
        window.client.sendUserMessage('When do you open?');
        return sound;
      });
      demand(asked >= 0, 'nothing was heard');
      await page.waitForFunction(
          () => window.notes.messages.some(
              (message) => message.role === 'persona' && /nine in the morning/.test(message.content)));
      const messages = await page.evaluate(() => window.notes.messages);
      demand(messages.some(({role, content}) => role === 'user' && content === 'When do you open?'),
             `the history holds ${JSON.stringify(messages)}`);
    });

    await check('a talk stream is spoken as it comes', async () => {
      await page.waitForTimeout(4000);
      const heard = await page.evaluate(async () => {
        const sound = window.waitForSound(true, 10_000);
        const stream = window.client.createTalkMessageStream();
        await stream.streamMessageChunk('This comes in', false);
        await stream.streamMessageChunk(' two parts.', true);
        return sound;
      });
      demand(heard >= 0, 'nothing was heard');
    });

    await check('ending the session by our API ends it in the page at once', async () => {
      const {body} = await call('GET', '/v1/live-sessions');
      demand(body.data.length === 1, `there are ${body.data.length} live sessions`);
      const asked = await page.evaluate(() => window.since());
      const end = await call('POST', `/v1/live-sessions/${body.data[0].id}/end`, {});
      demand(end.status === 202, `${end.status} ${JSON.stringify(end.body)}`);
      await page.waitForFunction(() => window.notes.closed !== null);
      const closed = await page.evaluate(() => window.notes.closed);
      demand(closed.why[0] === 'CONNECTION_CLOSED_CODE_SERVER_CLOSED_CONNECTION',
             JSON.stringify(closed));
      return `${closed.at - asked} ms after it was asked for`;
    });
  });
}

// The document's own page: nothing of it is changed, and the host that it names is answered by us.
async function runDocument() {
  const sample = process.env.DOCUMENT_PAGE;
  if (!sample) return console.log("skip the document's page (it is not here)");
  const site = await openSite(await bundle(
      `${fs.readFileSync(sample, 'utf8')}\nstartPersonaSession();\n`));
  await browse('granted', async (browser) => {
    await check("the document's page shows a face that moves and speaks", async () => {
      const page = await (await browser.newContext()).newPage();
      page.setDefaultTimeout(PATIENCE_MS);
      await page.route('https://api.anam.ai/**', async (route) => {
        const url = route.request().url().replace('https://api.anam.ai', server);
        await route.fulfill({response: await route.fetch({url})});
      });
      await page.addInitScript(await bundle(
          fs.readFileSync(new URL('anam_page.js', import.meta.url), 'utf8')));
      await page.goto(site.address);
      await page.waitForFunction(() => document.getElementById('persona-video')?.currentTime > 0.5);
      await page.evaluate(() => window.picture());
      await page.waitForTimeout(400);
      const picture = await page.evaluate(() => window.picture());
      demand(picture.moved > 0, 'no pixel moves');
      await page.evaluate(() => window.listen());
      const heard = await page.evaluate(() => window.waitForSound(true, 15_000));
      demand(heard >= 0, 'nothing was heard');
      await page.screenshot({path: path.join(SCREENSHOTS, 'live-face-document.png')});
    });
  });
  site.close();
}

fs.mkdirSync(SCREENSHOTS, {recursive: true});
writeSilence();
const site = await openSite(await bundle(
    fs.readFileSync(new URL('anam_page.js', import.meta.url), 'utf8')));
await loadPages(site.address, 'granted');
await loadPages(site.address, 'denied');
await converse(site.address);
await runDocument();
site.close();
