// A live face in headless Chromium with the vendor's published client, that speaks all the time:
// for each line on standard input, a number of seconds, prints what came in them as one JSON object
// per line. The environment is that of tests/e2e/anam_browser.mjs.
//
// SPDX-License-Identifier: Apache-2.0

import fs from 'node:fs';
import readline from 'node:readline';
import {begin, browse, bundle, looks, openSite} from '../tests/e2e/anam_browser.mjs';

const WORDS = 'And so she spoke, on and on, of this and that, until the lights went out. ';

const read = (place) => fs.readFileSync(new URL(place, import.meta.url), 'utf8');
const site = await openSite(
    await bundle(read('../tests/e2e/anam_page.js') + read('live_face_page.js')));

await browse('denied', async (browser) => {
  const page = await begin(browser, site.address,
                           {persona: {skipGreeting: true}, options: {disableInputAudio: true}});
  await looks(page);
  console.log(JSON.stringify({ready: true}));
  for await (const line of readline.createInterface({input: process.stdin})) {
    await page.evaluate((words) => window.client.talk(words), WORDS.repeat(4));
    const seconds = Number(line);
    console.log(JSON.stringify(await page.evaluate((ms) => window.watchArrivals(ms), seconds * 1e3)));
  }
});
site.close();
