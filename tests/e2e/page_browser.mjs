// Opens the page at `/` in a real Chromium and writes down what it sees, as one JSON object on
// stdout. It judges nothing: page_test.py does.
//
// node page_browser.mjs ADDRESS FIRST.wav SECOND.wav SCREENSHOT_FOLDER
//
// SPDX-License-Identifier: Apache-2.0

import fs from 'node:fs';
import path from 'node:path';
import {chromium} from 'playwright-core';

const [address, firstSound, secondSound, screenshots] = process.argv.slice(2);
const PATIENCE_MS = 60_000;
const MOUTH_IN_SHEET = [420, 580, 160, 150];

// The page's own decoder; it imports nothing, so it can be loaded without a package around it.
const wireSource =
    fs.readFileSync(new URL('../../web/door/motion-wire.js', import.meta.url), 'utf8');
const {decodeMessage} = await import(`data:text/javascript,${encodeURIComponent(wireSource)}`);

const FLAGS = [
  '--headless=new',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--autoplay-policy=no-user-gesture-required',
  '--use-fake-device-for-media-stream',
  '--use-fake-ui-for-media-stream',
];

// A page with notes of all that can be seen from outside it.
async function openPage(browser, options = {}) {
  const context = await browser.newContext({viewport: {width: 1200, height: 900}, ...options});
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  const notes = {consoleErrors: [], tokens: [], sockets: 0, messages: []};
  page.on('console', (line) => {
    if (line.type() === 'error' || line.type() === 'warning') notes.consoleErrors.push(line.text());
  });
  page.on('pageerror', (error) => notes.consoleErrors.push(error.message));
  page.on('response', async (response) => {
    if (!response.url().endsWith('/door/session') || !response.ok()) return;
    const ticket = await response.json().catch(() => null);
    if (ticket !== null) notes.tokens.push(ticket.sessionToken);
  });
  page.on('websocket', (socket) => {
    ++notes.sockets;
    socket.on(
        'framereceived',
        ({payload}) => notes.messages.push(decodeMessage(new Uint8Array(payload))));
  });
  return {page, notes};
}

async function load(page) {
  await page.goto(address);
  await page.waitForFunction(() => window.stagedoorDoor !== undefined);
}

// Counts, at every drawing, the pixels of the open mouth (the dark cavity and the teeth's white)
// until `over`, an expression in the page, is true.
function watchMouth(page, over) {
  return page.evaluate(
      ([box, condition]) => new Promise((resolve) => {
        const face = document.getElementById('face');
        // Read from a copy: asking the page's own canvas would change how the browser keeps it.
        const copy = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
        const isOver = new Function(`return ${condition}`);
        const counts = [];
        const look = () => {
          const [x, y, width, height] = window.stagedoorDoor.canvasBox(box);
          if (copy.canvas.width !== width) copy.canvas.width = width;
          if (copy.canvas.height !== height) copy.canvas.height = height;
          copy.drawImage(face, x, y, width, height, 0, 0, width, height);
          const {data} = copy.getImageData(0, 0, width, height);
          let open = 0;
          for (let at = 0; at < data.length; at += 4) {
            const [red, green, blue] = [data[at], data[at + 1], data[at + 2]];
            const cavity = red < 125 && green < 50 && blue < 60;
            const teeth = red > 225 && green > 215 && blue > 205;
            if (cavity || teeth) ++open;
          }
          counts.push(open / (width * height));
          if (isOver())
            resolve(counts);
          else
            requestAnimationFrame(look);
        };
        requestAnimationFrame(look);
      }),
      [MOUTH_IN_SHEET, over]);
}

async function watchRest(page) {
  await page.evaluate(() => {
    window.restUntil = performance.now() + 1000;
  });
  return watchMouth(page, 'performance.now() > window.restUntil');
}

async function screenshot(page, name) {
  await page.screenshot({path: path.join(screenshots, `${name}.png`)});
}

// Gives the page a sound by `give` and waits until it was spoken; all about it in one object.
async function speak(page, notes, give, name) {
  const before = notes.messages.length;
  const spoken = await page.evaluate(() => window.stagedoorDoor.spoken);
  await give();
  await page.waitForFunction(() => window.stagedoorDoor.drawn.length > 0);
  const mouth = watchMouth(page, `window.stagedoorDoor.spoken > ${spoken}`);
  // Not every sound opens the mouth so far: the beep of a fake microphone may not.
  if (name !== undefined) {
    await page.waitForFunction(() => window.stagedoorDoor.drawn.some((one) => one.jawOpen > 0.25))
        .catch(() => {});
    await screenshot(page, name);
  }
  const mouthSpeaking = await mouth;
  await page.waitForFunction((count) => window.stagedoorDoor.spoken > count, spoken);
  const seen = await page.evaluate(() => {
    const {frames, soundSeconds, firstFrameMs, drawn, ends, state} = window.stagedoorDoor;
    return {frames, soundSeconds, firstFrameMs, drawn, ends, state};
  });
  const animations =
      notes.messages.slice(before).filter((message) => message.response !== undefined);
  const names = animations.flatMap((message) => message.response.animation?.names ?? []);
  const column = names.indexOf('jawOpen');
  const jaws = animations.flatMap((message) => message.response.animation?.frames ?? [])
                   .map((frame) => frame[column]);
  return {
    ...seen,
    mouthSpeaking,
    jaws,
    requests: animations.map((message) => message.response.reqId)
  };
}

async function twoSounds(browser) {
  const {page, notes} = await openPage(browser);
  await load(page);
  const mouthBefore = await watchRest(page);
  await screenshot(page, 'page-at-rest');
  const first =
      await speak(page, notes, () => page.setInputFiles('#file', firstSound), 'page-speaking');
  await page.waitForFunction(() => window.stagedoorDoor.state === 'connected');
  await page.evaluate(() => {
    window.restUntil = performance.now() + 500;
  });
  await watchMouth(page, 'performance.now() > window.restUntil');
  const mouthAfter = await watchRest(page);
  const second = await speak(page, notes, () => page.setInputFiles('#file', secondSound));
  await page.click('#steps-panel summary');
  await screenshot(page, 'page-what-just-happened');
  const steps = await page.locator('#steps li').allTextContents();
  const held = await page.evaluate(
      () => document.documentElement.outerHTML + document.title +
          JSON.stringify({...localStorage, ...sessionStorage}) + document.cookie + location.href);
  const tokenSeen = notes.tokens.some((token) => held.includes(token));
  const {tokens, messages, ...rest} = notes;
  await page.context().close();
  return {
    mouthBefore,
    first,
    mouthAfter,
    second,
    steps,
    tokenSeen,
    tokenCount: tokens.length,
    ...rest
  };
}

async function sampleOnATelephone(browser) {
  const {page, notes} = await openPage(browser, {
    viewport: {width: 390, height: 844},
    colorScheme: 'dark',
    hasTouch: true,
  });
  await load(page);
  await page.waitForSelector('#sample', {state: 'visible'});
  const sample = await speak(page, notes, () => page.click('#sample'), 'page-narrow-dark');
  const overflows = await page.evaluate(
      () => document.documentElement.scrollWidth > document.documentElement.clientWidth);
  await page.context().close();
  return {sample, overflows, consoleErrors: notes.consoleErrors};
}

async function recording(browser) {
  const {page, notes} = await openPage(browser, {permissions: ['microphone']});
  await load(page);
  const spoken = await speak(page, notes, async () => {
    await page.click('#record');
    await page.waitForSelector('#record[aria-pressed="true"]');
    await page.evaluate(() => {
      window.recordUntil = performance.now() + 1500;
    });
    await page.waitForFunction(() => performance.now() > window.recordUntil);
    await page.click('#record');
  });
  await page.context().close();
  return {...spoken, consoleErrors: notes.consoleErrors};
}

async function keyboardAlone(browser) {
  const {page} = await openPage(browser);
  await load(page);
  await page.waitForSelector('#sample', {state: 'visible'});
  const reached = [];
  for (let press = 0; press < 8; ++press) {
    await page.keyboard.press('Tab');
    reached.push(
        await page.evaluate(() => document.activeElement.id || document.activeElement.tagName));
  }
  await page.focus('#sample');
  await page.keyboard.press('Enter');
  await page.waitForFunction(() => window.stagedoorDoor.spoken === 1);
  await page.context().close();
  return {reached};
}

// A token that the server does not know: the page must say so and go on when it is asked to.
async function refusedToken(browser) {
  const {page, notes} = await openPage(browser);
  await page.route('**/door/session', async (route) => {
    const response = await route.fetch();
    const ticket = await response.json();
    await route.fulfill(
        {response, json: {...ticket, sessionToken: `${ticket.sessionToken.slice(0, -6)}AAAAAA`}});
  });
  await load(page);
  await page.setInputFiles('#file', secondSound);
  await page.waitForSelector('#problem', {state: 'visible'});
  const words = await page.textContent('#problem-text');
  const state = await page.evaluate(() => window.stagedoorDoor.state);
  await screenshot(page, 'page-refused');
  await page.unroute('**/door/session');
  const after = await speak(page, notes, () => page.click('#again'));
  const problemGone = await page.isHidden('#problem');
  await page.context().close();
  return {words, state, after, problemGone};
}

// The connection goes away between two sounds: the second needs a new token and a new socket.
async function closedSocket(browser) {
  const {page, notes} = await openPage(browser);
  let connection = null;
  let opened = 0;
  await page.routeWebSocket(/driveningress/, (socket) => {
    ++opened;
    connection = socket;
    socket.connectToServer();
  });
  await load(page);
  await speak(page, notes, () => page.setInputFiles('#file', secondSound));
  await connection.close({code: 4000, reason: 'away for a moment'});
  await page.waitForFunction(() => window.stagedoorDoor.state === 'idle');
  const after = await speak(page, notes, () => page.setInputFiles('#file', secondSound));
  const steps = await page.locator('#steps li').allTextContents();
  await page.context().close();
  return {after, opened, tokenCount: notes.tokens.length, steps};
}

// Stop in the middle of a long sound, then another sound on the same session.
async function stopped(browser) {
  const {page, notes} = await openPage(browser);
  await load(page);
  await page.setInputFiles('#file', firstSound);
  await page.waitForFunction(() => window.stagedoorDoor.drawn.length > 3);
  await page.click('#stop');
  const state = await page.evaluate(() => window.stagedoorDoor.state);
  const spoken = await page.evaluate(() => window.stagedoorDoor.spoken);
  const after = await speak(page, notes, () => page.setInputFiles('#file', secondSound));
  await page.context().close();
  return {state, spoken, frames: after.frames, sockets: notes.sockets};
}

async function wordsOf(page, file) {
  await load(page);
  await page.setInputFiles('#file', file);
  await page.waitForSelector('#problem', {state: 'visible'});
  const words = await page.textContent('#problem-text');
  await page.context().close();
  return words;
}

// Each way of failing, as the page tells it.
async function failures(browser) {
  const notASound = (await openPage(browser)).page;
  const away = (await openPage(browser)).page;
  await away.route('**/door/session', (route) => route.abort());
  const full = (await openPage(browser)).page;
  await full.route('**/door/session', (route) => route.fulfill({status: 429}));
  const ended = (await openPage(browser)).page;
  // ServerError of code 4002, as protoc writes it (see motion_wire.test.mjs), for every first
  // message.
  const words = 'maximum session duration';
  const error = Buffer.concat([
    Buffer.from([8, 4, 0x2a, 5 + words.length, 0x18, 0xa2, 0x1f, 0x22, words.length]),
    Buffer.from(words),
  ]);
  await ended.routeWebSocket(
      /driveningress/, (socket) => socket.onMessage(() => socket.send(error)));
  return {
    notASound: await wordsOf(notASound, {
      name: 'x.wav',
      mimeType: 'audio/wav',
      buffer: Buffer.from('not a sound'),
    }),
    away: await wordsOf(away, secondSound),
    full: await wordsOf(full, secondSound),
    ended: await wordsOf(ended, secondSound),
  };
}

const browser = await chromium.launch({executablePath: '/usr/bin/chromium', args: FLAGS});
try {
  const seen = {
    twoSounds: await twoSounds(browser),
    sample: await sampleOnATelephone(browser),
    recording: await recording(browser),
    keyboard: await keyboardAlone(browser),
    refused: await refusedToken(browser),
    closed: await closedSocket(browser),
    stopped: await stopped(browser),
    failures: await failures(browser),
  };
  process.stdout.write(JSON.stringify(seen));
} finally {
  await browser.close();
}
