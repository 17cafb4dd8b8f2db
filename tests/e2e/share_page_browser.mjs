// Visits a share link's page in Chromium as a person would, and writes down what it shows, as one JSON
// object on stdout. It judges nothing: share_page_test.py does.
//
// node share_page_browser.mjs ADDRESS_OF_THE_PAGE SCREENSHOT_FOLDER, with the environment of
// anam_browser.mjs.
//
// SPDX-License-Identifier: Apache-2.0

import path from 'node:path';
import {browse, call, PATIENCE_MS} from './anam_browser.mjs';

const [address, screenshots] = process.argv.slice(2);

const looks = (page) => page.evaluate(() => {
  const face = document.getElementById('face');
  return {
    state: document.body.dataset.state,
    title: document.title,
    problem: document.getElementById('problem').textContent,
    caption: document.getElementById('caption').textContent,
    time: face.currentTime,
    width: face.videoWidth,
  };
});
const isIn = (page, state) => page.waitForFunction(
    (wanted) => document.body.dataset.state === wanted, state);
const uses = async () => {
  const links = await call('GET', '/v1/share-links');
  return links.body.data.map((link) => link.usageCount);
};

const seen = {errors: []};
await browse('denied', async (browser) => {
  const page = await (await browser.newContext()).newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  page.on('pageerror', (error) => seen.errors.push(String(error)));
  await page.goto(address);
  seen.waiting = {...await looks(page), uses: await uses()};
  await page.click('#meet');
  await isIn(page, 'met');
  await page.waitForFunction(() => document.getElementById('face').currentTime > 0.5);
  await page.fill('#text', 'When do you open?');
  await page.press('#text', 'Enter');
  await page.waitForFunction(
      () => document.getElementById('caption').textContent.includes('morning'));
  seen.met = {...await looks(page), uses: await uses()};
  await page.screenshot({path: path.join(screenshots, 'share-page.png')});
  await page.click('#leave');
  await isIn(page, 'over');
  seen.left = await looks(page);
  await page.click('#meet');
  await page.waitForFunction(() => document.getElementById('problem').textContent !== '');
  seen.again = await looks(page);
});
process.stdout.write(JSON.stringify(seen));
