// Live faces one after another in headless Chromium with the vendor's published client: for each
// line on standard input, a number, opens so many pages, each until its face has moved, and prints a
// line. The environment is that of tests/e2e/anam_browser.mjs.
//
// SPDX-License-Identifier: Apache-2.0

import fs from 'node:fs';
import readline from 'node:readline';
import {browse, bundle, openSite, server} from '../tests/e2e/anam_browser.mjs';

const read = (place) => fs.readFileSync(new URL(place, import.meta.url), 'utf8');
const script = await bundle(read('../tests/e2e/anam_page.js') + read('live_face_page.js'));
const site = await openSite(`${script}\nif (location.hash) beginAtOnce('${server}');`);

await browse('granted', async (browser) => {
  for await (const line of readline.createInterface({input: process.stdin})) {
    for (let load = 0; load < Number(line); ++load) {
      const page = await (await browser.newContext()).newPage();
      await page.goto(`${site.address}#begin`);
      await page.waitForFunction(() => window.bench.firstMoving > 0);
      await page.evaluate(() => window.client.stopStreaming());
      await page.context().close();
    }
    console.log('done');
  }
});
site.close();
