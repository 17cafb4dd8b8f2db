// Opens a live face whose media may take no way but through the TURN server that the door named, and
// writes down by which way they came as one JSON object on stdout; live_face_relay_test.py judges.
//
// The environment is that of anam_browser.mjs.
//
// SPDX-License-Identifier: Apache-2.0

import fs from 'node:fs';
import {begin, browse, bundle, looks, openSite} from './anam_browser.mjs';

const read = (place) => fs.readFileSync(new URL(place, import.meta.url), 'utf8');
// The page's own part first: the client must find what it replaces.
const site = await openSite(await bundle(read('live_face_ways_page.js') + read('anam_page.js')));

await browse('denied', async (browser) => {
  const page = await begin(browser, site.address, {
    persona: {skipGreeting: true},
    options: {disableInputAudio: true, rtcConfiguration: {iceTransportPolicy: 'relay'}},
  });
  const looked = await looks(page);
  const way = await page.evaluate(() => window.wayOfMedia());
  process.stdout.write(JSON.stringify({looked, way}));
});
site.close();
