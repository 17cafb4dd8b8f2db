// Opens a live face in another form, and has happen to it what happens in the world: its socket is
// taken over, its network changes, its app speaks with a voice of its own. Writes down what the page
// saw and heard as one JSON object on stdout; live_face_ways_test.py judges.
//
// node live_face_ways_browser.mjs SCREENSHOT_FOLDER, with the environment of anam_browser.mjs.
//
// SPDX-License-Identifier: Apache-2.0

import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import {execFileSync} from 'node:child_process';
import {begin, browse, bundle, calm, looks, openSite, PATIENCE_MS} from './anam_browser.mjs';

const [screenshots] = process.argv.slice(2);
const LIV = '071b0286-4cce-4808-bee2-e642f1062de3';

const read = (place) => fs.readFileSync(new URL(place, import.meta.url), 'utf8');
// The page's own part first: the client must find what it replaces.
const site = await openSite(await bundle(read('live_face_ways_page.js') + read('anam_page.js')));

function voice() {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'stagedoor-voice-'));
  const file = path.join(folder, 'voice.wav');
  execFileSync('flite', ['-voice', 'slt', '-t', 'This is a voice that the page has brought.', '-o', file]);
  const samples = fs.readFileSync(file).subarray(44).toString('base64');
  fs.rmSync(folder, {recursive: true, force: true});
  return samples;
}

await browse('denied', async (browser) => {
  const page = await begin(browser, site.address, {
    persona: {avatarId: LIV, skipGreeting: true, enableAudioPassthrough: true},
    session: {videoWidth: 768, videoHeight: 1152},
    options: {disableInputAudio: true},
  });
  const looked = await looks(page);
  await page.evaluate(() => window.listen());
  await page.screenshot({path: path.join(screenshots, 'live-face-portrait.png')});
  const sockets = await page.evaluate(() => window.takeSocketOver());
  const afterSocket = await page.evaluate(() => window.picturesInASecond());
  const ice = await page.evaluate(() => window.restartIce());
  const afterIce = await page.evaluate(() => window.picturesInASecond());
  await calm(page);
  const silent = await page.evaluate(() => window.watchMouth(1500));
  const heard = page.evaluate((patience) => window.waitForSound(true, patience), PATIENCE_MS);
  await page.evaluate((samples) => window.sendVoice(samples), voice());
  const sound = await heard;
  const speaking = await page.evaluate(() => window.watchMouth(1500));
  const seen = {looked, sockets, afterSocket, ice, afterIce, heard: sound, silent, speaking};
  await page.screenshot({path: path.join(screenshots, 'live-face-portrait-speaking.png')});
  process.stdout.write(JSON.stringify({...seen, notes: await page.evaluate(() => window.notes)}));
});
site.close();
