// Opens live faces with the vendor's published client in Chromium and writes down what it sees and
// hears, as one JSON object on stdout. It judges nothing: live_face_test.py does.
//
// node live_face_browser.mjs SCREENSHOT_FOLDER, with the environment of anam_browser.mjs.
//
// SPDX-License-Identifier: Apache-2.0

import path from 'node:path';
import {
  begin, call, calm, event, launch, liveSessions, looks, openSite, ourPage, PATIENCE_MS, talk
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

const site = await openSite(await ourPage());
const seen = {
  granted: await withMicrophone(site.address),
  denied: await withoutMicrophone(site.address),
};
site.close();
process.stdout.write(JSON.stringify(seen));
