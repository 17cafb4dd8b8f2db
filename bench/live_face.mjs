// The bars of a live face, measured in headless Chromium with the vendor's published client: prints
// one JSON object of lists, in ms. The environment is that of tests/e2e/anam_browser.mjs.
//
// SPDX-License-Identifier: Apache-2.0

import fs from 'node:fs';
import {
  begin, browse, bundle, calm, looks, openSite, server, talk
} from '../tests/e2e/anam_browser.mjs';

const LOADS = 8;
const TALKS = 8;
const WORDS = [
  'Papa may move. My mother bought five big blue balloons, and we all saw them fly away.',
  'Walk to the mark. Look up, and count to three. Wait for the applause.',
  'Nobody. In the house. May breathe. Before the first line.',
];

const read = (place) => fs.readFileSync(new URL(place, import.meta.url), 'utf8');
const script = await bundle(read('../tests/e2e/anam_page.js') + read('live_face_page.js'));

async function measureLoads(browser) {
  const site = await openSite(`${script}\nif (location.hash) beginAtOnce('${server}');`);
  const seen = {start: [], call: [], frame: []};
  for (let load = 0; load < LOADS; ++load) {
    const page = await (await browser.newContext()).newPage();
    await page.goto(`${site.address}#begin`);
    await page.waitForFunction(() => window.bench.firstMoving > 0);
    const {began, firstFrame, firstMoving} = await page.evaluate(() => window.bench);
    seen.start.push(firstMoving);
    seen.call.push(firstMoving - began);
    seen.frame.push(firstFrame);
    await page.evaluate(() => window.client.stopStreaming());
    await page.context().close();
  }
  site.close();
  return seen;
}

// Both as steps of 5 ms: the level of 40 ms around each moment, and the picture that is seen then.
const STEP_MS = 5;
function lag({levels, mouths}) {
  const begin = mouths[0][0] + 500, count = Math.floor((mouths.at(-1)[0] - begin - 500) / STEP_MS);
  const at = (index) => begin + index * STEP_MS;
  const sound = [];
  for (let i = 0; i < count; ++i) {
    const near = levels.filter(([time]) => Math.abs(time - at(i)) <= 20).map(([, value]) => value);
    const mean = near.reduce((sum, value) => sum + value, 0) / Math.max(1, near.length);
    sound.push(Math.log10(Math.max(mean, 0.003)));
  }
  const seenAt = (time) => {
    let low = 0, high = mouths.length;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (mouths[middle][0] <= time) low = middle; else high = middle;
    }
    return mouths[low][1];
  };
  const alike = (ms) => {
    const mouth = sound.map((_, index) => seenAt(at(index) + ms));
    const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
    const [ofSound, ofMouth] = [mean(sound), mean(mouth)];
    let both = 0, one = 0, other = 0;
    for (let i = 0; i < count; ++i) {
      const [a, b] = [sound[i] - ofSound, mouth[i] - ofMouth];
      both += a * b;
      one += a * a;
      other += b * b;
    }
    return both / Math.sqrt(one * other);
  };
  let best = {ms: 0, alike: -1};
  for (let ms = -300; ms <= 300; ms += STEP_MS) {
    const now = alike(ms);
    if (now > best.alike) best = {ms, alike: now};
  }
  return best;
}

async function measureTalk(browser) {
  const site = await openSite(script);
  const seen = {talk: [], stop: [], lips: [], alike: [], browser: []};
  const page = await begin(browser, site.address,
                           {persona: {skipGreeting: true}, options: {disableInputAudio: true}});
  await looks(page);
  await page.evaluate(() => window.listen(256));
  await calm(page);
  for (let number = 0; number < TALKS; ++number) {
    seen.talk.push(await talk(page, 'Good morning. This is what I was asked to say to you all.'));
    seen.stop.push(await page.evaluate(() => window.interruptAndListen()));
    await calm(page);
  }
  for (const words of WORDS) {
    const watching = page.evaluate(() => window.watchLips(9000));
    await page.evaluate((text) => window.client.talk(text), words);
    await page.waitForTimeout(3000);
    seen.browser.push(await page.evaluate(() => window.browserSays()));
    const {ms, alike} = lag(await watching);
    seen.lips.push(ms);
    seen.alike.push(alike);
    await calm(page);
  }
  site.close();
  return seen;
}

const all = {};
await browse('denied', async (browser) => {
  Object.assign(all, await measureLoads(browser), await measureTalk(browser));
});
process.stdout.write(JSON.stringify(all));
