// The published @anam-ai/js-sdk, unmodified, in headless Firefox against a running server: one page
// load with a fake microphone and one without permission. Nothing drives the page: it does all by
// itself and posts what it has seen. Prints a line for each check (report.py).
//
// Environment: STAGEDOOR_URL, STAGEDOOR_KEY.
//
// SPDX-License-Identifier: Apache-2.0

import {spawn} from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import {bundle, demand, mint, server} from '../e2e/anam_browser.mjs';

const PATIENCE_MS = 45_000;
// Sound plays by itself, and nobody is asked for the microphone.
const ALWAYS = {
  'network.manage-offline-status': false,
  'network.proxy.type': 0,
  'media.autoplay.default': 0,
  'media.autoplay.blocking_policy': 0,
  'datareporting.policy.dataSubmissionEnabled': false,
  'toolkit.telemetry.enabled': false,
  'browser.shell.checkDefaultBrowser': false,
};
const MICROPHONES = {
  granted: {'media.navigator.permission.disabled': true, 'media.navigator.streams.fake': true},
  denied: {'permissions.default.microphone': 2},
};

const PAGE = `
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const report = (seen) => fetch('/seen', {method: 'POST', body: JSON.stringify(seen)});
const must = async (holds, words) => {
  for (let at = 0; !(await holds()); ++at) {
    if (at > 600) throw new Error(words + ' after ' + JSON.stringify(window.notes.events));
    await pause(50);
  }
};
// Without a sound card nothing plays, so what came is counted.
const packetsOfSound = async () => {
  for (const one of (await connections[0].getStats()).values())
    if (one.type === 'inbound-rtp' && one.kind === 'audio') return one.packetsReceived;
  return 0;
};
(async () => {
  const token = await (await fetch('/token')).text();
  await window.begin(token, SERVER, {});
  for (const event of [AnamEvent.CONNECTION_ESTABLISHED, AnamEvent.SESSION_READY,
                       AnamEvent.VIDEO_PLAY_STARTED])
    await must(() => window.notes.events[event] !== undefined, 'no ' + event);
  window.picture();
  await pause(600);
  const looked = window.picture();
  const pictures = await window.picturesInASecond();
  const before = await packetsOfSound();
  await window.client.talk('Good evening, and welcome to the stage door.');
  await pause(2000);
  const sound = await packetsOfSound() - before;
  await must(() => window.notes.messages.length > 0, 'no message');
  report({looked, pictures, sound, way: await window.wayOfMedia(),
          first: window.notes.events[AnamEvent.VIDEO_PLAY_STARTED]});
})().catch((error) => report({error: String(error)}));
`;

const read = (name) => fs.readFileSync(new URL(`../e2e/${name}`, import.meta.url), 'utf8');
const script = await bundle(read('live_face_ways_page.js') + read('anam_page.js') +
                            PAGE.replace('SERVER', JSON.stringify(server)));

// What the page of one load posts.
function open(microphone) {
  const profile = fs.mkdtempSync(path.join(os.tmpdir(), 'stagedoor-firefox-'));
  const preferences = Object.entries({...ALWAYS, ...MICROPHONES[microphone]});
  fs.writeFileSync(path.join(profile, 'user.js'),
                   preferences.map((one) => `user_pref(${one.map((part) => JSON.stringify(part))});`)
                       .join('\n'));
  let browser, timer;
  const site = http.createServer(async (request, reply) => {
    if (request.url === '/token') return reply.end(await mint());
    if (request.url !== '/seen') {
      return reply.setHeader('Content-Type', 'text/html').end(
          `<!doctype html><meta charset="utf-8"><title>A persona</title>
           <video id="persona-video" autoplay playsinline></video>
           <script>${script.replaceAll('</script', '<\\/script')}</script>`);
    }
    let body = '';
    for await (const piece of request) body += piece;
    reply.end();
    site.emit('seen', JSON.parse(body));
  });
  const seen = new Promise((resolve) => {
    site.once('seen', resolve);
    timer = setTimeout(() => resolve({error: 'the page posted nothing'}), PATIENCE_MS);
  });
  site.listen(0, '127.0.0.1', () => {
    const address = `http://127.0.0.1:${site.address().port}/`;
    browser = spawn('firefox-esr', ['--headless', '--no-remote', '--profile', profile, address],
                    {stdio: 'ignore', env: {...process.env, HOME: profile}});
  });
  return seen.finally(async () => {
    clearTimeout(timer);
    const gone = new Promise((resolve) => browser.once('exit', resolve));
    browser.kill('SIGKILL');
    await gone;
    site.closeAllConnections();
    site.close();
    fs.rmSync(profile, {recursive: true, force: true, maxRetries: 5});
  });
}

for (const microphone of Object.keys(MICROPHONES)) {
  const words = `Firefox, microphone ${microphone}: a face moves and its sound comes`;
  try {
    const seen = await open(microphone);
    demand(!seen.error, seen.error);
    demand(seen.looked.moved > 0, 'no pixel moves');
    demand(seen.looked.width === 720 && seen.looked.height === 480, JSON.stringify(seen.looked));
    demand(seen.pictures > 15, `${seen.pictures} pictures in a second`);
    demand(seen.sound > 50, `${seen.sound} packets of sound in two seconds`);
    console.log(`ok ${words} (first picture ${seen.first} ms after the call, ${seen.pictures} ` +
                `pictures a second, by ${seen.way})`);
  } catch (error) {
    console.log(`FAIL ${words}: ${error.message.split('\n')[0]}`);
    process.exitCode = 1;
  }
}
process.exit();
