// One live face in Chromium, from wherever this runs: by which way its media came and how many
// pictures in a second, as one JSON object on stdout. networks.py judges.
//
// Environment: that of ../e2e/anam_browser.mjs.
//
// SPDX-License-Identifier: Apache-2.0

import fs from 'node:fs';
import {begin, browse, bundle, openSite, playing} from '../e2e/anam_browser.mjs';

const read = (name) => fs.readFileSync(new URL(`../e2e/${name}`, import.meta.url), 'utf8');
// The page's own part first: the client must find what it replaces.
const site = await openSite(await bundle(read('live_face_ways_page.js') + read('anam_page.js')));

await browse('denied', async (browser) => {
  const page = await begin(browser, site.address, {options: {disableInputAudio: true}});
  await playing(page);
  const way = await page.evaluate(() => window.wayOfMedia());
  const pictures = await page.evaluate(() => window.picturesInASecond());
  process.stdout.write(JSON.stringify({way, pictures}));
});
site.close();
