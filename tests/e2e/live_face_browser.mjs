// Opens live faces with the vendor's published client in Chromium and writes down what it sees and
// hears, as one JSON object on stdout. It judges nothing: live_face_test.py does.
//
// node live_face_browser.mjs SCREENSHOT_FOLDER, with the environment of anam_browser.mjs.
//
// SPDX-License-Identifier: Apache-2.0

import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import {execFileSync} from 'node:child_process';
import {
  begin, call, calm, event, launch, liveSessions, looks, openSite, ourPage, PATIENCE_MS, talk,
  writeSound
} from './anam_browser.mjs';

const [screenshots] = process.argv.slice(2);

const notes = (page) => page.evaluate(() => window.notes);
const hears = (page) =>
    page.evaluate((patience) => window.waitForSound(true, patience), PATIENCE_MS);

async function see(page, name) {
  const seen = await looks(page);
  await page.evaluate(() => window.listen());
  await page.screenshot({path: path.join(screenshots, `live-face-${name}.png`)});
  return seen;
}

// A page with a microphone that beeps: it is greeted, and ended by the API.
async function withMicrophone(address) {
  const {browser, kill} = await launch('beeping');
  try {
    const page = await begin(browser, address);
    const looked = await see(page, 'granted');
    const greeted = await hears(page);
    await event(page, 'MESSAGE_HISTORY_UPDATED');
    const [session] = await liveSessions();
    const asked = await page.evaluate(() => window.since());
    const end = await call('POST', `/v1/live-sessions/${session.id}/end`, {});
    await page.waitForFunction(() => window.notes.closed !== null);
    return {looked, greeted, endStatus: end.status, asked, notes: await notes(page)};
  } finally {
    await kill();
  }
}

// What the built-in face can't do.
const DEMANDING = {
  skipGreeting: true,
  directorNotes: {presetStyle: 'happy'},
  voiceDetectionOptions: {speechEnhancementLevel: 0.8},
};

// A page that may not listen: words are spoken on its demand; then its browser is killed.
async function withoutMicrophone(address) {
  const {browser, kill} = await launch('denied');
  try {
    const page = await begin(browser, address, {persona: DEMANDING});
    const looked = await see(page, 'denied');
    await calm(page);
    const talked = await talk(page, 'Good morning. This is what I was asked to say.');
    for (const tag of ['happy', 'sad', 'happy'])
      await page.evaluate((cue) => window.client.sendDirectorNoteCue(cue), tag);
    await page.waitForFunction(() => window.notes.warnings.length > 2);
    // The answer to what is asked for last comes behind any further warning.
    await talk(page, 'That is all.');
    const seen = await notes(page);
    const [session] = await liveSessions();
    const killed = Date.now();
    await kill();
    const path = `/v1/live-sessions/${session.id}`;
    while ((await call('GET', path)).status === 200 && Date.now() - killed < PATIENCE_MS)
      await new Promise((resolve) => setTimeout(resolve, 50));
    return {looked, talked, notes: seen, left: {ms: Date.now() - killed, path}};
  } finally {
    await kill();
  }
}

// Samples of 48 kHz of what a voice of flite's says, which speaks at 16 kHz.
function spoken(folder, words) {
  const file = path.join(folder, 'words.wav');
  execFileSync('flite', ['-voice', 'rms', '-t', words, '-o', file]);
  const bytes = fs.readFileSync(file).subarray(44);
  const slow = new Int16Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
  return Array.from({length: slow.length * 3}, (_, at) => {
    const [before, after] = [slow[Math.floor(at / 3)], slow[Math.floor(at / 3) + 1] ?? 0];
    return Math.round(before + (after - before) * (at % 3) / 3);
  });
}

// A page whose user speaks: asks something, and later speaks while the persona does.
async function withVoice(address) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'stagedoor-voice-'));
  const silence = (seconds) => new Array(seconds * 48_000).fill(0);
  const sound = [
    ...silence(6), ...spoken(folder, 'When do you open?'), ...silence(14),
    ...spoken(folder, 'Stop it now, please. I have heard enough of this.'), ...silence(30)
  ];
  const file = path.join(folder, 'voice.wav');
  writeSound(file, (at) => sound[at], sound.length);
  const {browser, kill} =
      await launch('beeping', [`--use-file-for-fake-audio-capture=${file}%noloop`]);
  try {
    const page = await begin(browser, address, {persona: {skipGreeting: true}});
    await looks(page);
    await page.evaluate(() => window.listen());
    const answered = await hears(page);
    await page.waitForFunction(
        () => window.notes.messages.some(({role}) => role === 'persona'));
    await calm(page);
    const first = await notes(page);
    const stopped = await page.evaluate(
        (words) => window.talkUntilVoice(words), 'And so I go on, and on, and on, about this. '.repeat(20));
    await page.waitForFunction(
        () => window.notes.messages.some(({interrupted}) => interrupted));
    return {answered, first, stopped, notes: await notes(page)};
  } finally {
    await kill();
    fs.rmSync(folder, {recursive: true, force: true});
  }
}

const site = await openSite(await ourPage());
const seen = {
  granted: await withMicrophone(site.address),
  denied: await withoutMicrophone(site.address),
  voice: await withVoice(site.address),
};
site.close();
process.stdout.write(JSON.stringify(seen));
