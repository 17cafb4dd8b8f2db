// Drives the published @anam-ai/js-sdk, unmodified, in headless Chromium against a running server,
// and prints a line for each check (report.py): page loads with a fake microphone and without
// permission for one, a conversation, and an end from outside.
//
// Environment: STAGEDOOR_URL, STAGEDOOR_KEY, CONFORM_LOADS (of each kind), SCREENSHOTS, and of the
// vendor's document DOCUMENT_PAGE, a file with its page, and DOCUMENT_SERVER, where its Express
// server listens; absent: that part is skipped.
//
// SPDX-License-Identifier: Apache-2.0

import fs from 'node:fs';
import path from 'node:path';
import {
  begin, browse, bundle, call, calm, demand, liveSessions, openSite, ourPage, PATIENCE_MS, playing,
  server, talk
} from '../e2e/anam_browser.mjs';

const {SCREENSHOTS} = process.env;
const LOADS = Number(process.env.CONFORM_LOADS ?? 20);

async function check(words, run) {
  try {
    const more = await run();
    console.log(`ok ${words}${more ? ` (${more})` : ''}`);
  } catch (error) {
    console.log(`FAIL ${words}: ${error.message.split('\n')[0]}`);
    process.exitCode = 1;
  }
}

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

async function loadPages(address, microphone) {
  await browse(microphone, async (browser) => {
    await check(`${LOADS} page loads, microphone ${microphone}`, async () => {
      const shown = [];
      for (let load = 0; load < LOADS; ++load) {
        const page = await begin(browser, address);
        await playing(page).catch(async (error) => {
          const events = await page.evaluate(() => window.notes.events);
          throw new Error(`load ${load}: ${error.message} after ${JSON.stringify(events)}`);
        });
        await page.evaluate(() => window.listen());
        const heard = await page.evaluate((patience) => window.waitForSound(true, patience),
                                          PATIENCE_MS);
        demand(heard >= 0, `load ${load}: nothing was heard`);
        shown.push(await page.evaluate(() => window.notes.events.VIDEO_PLAY_STARTED));
        if (load === 0)
          await page.screenshot({path: path.join(SCREENSHOTS, `live-face-${microphone}.png`)});
        await page.evaluate(() => window.client.stopStreaming());
        await page.context().close();
      }
      return `first picture ${median(shown)} ms after the call, at most ${Math.max(...shown)} ms`;
    });
  });
}

// A page whose persona has been greeted by, and is silent now.
async function quiet(page) {
  await playing(page);
  await page.evaluate(() => window.listen());
  await calm(page);
}

async function converse(address) {
  await browse('granted', async (browser) => {
    const persona = {skipGreeting: true};
    const page = await begin(browser, address, {persona, options: {disableInputAudio: true}});
    await check('a page without input audio plays', () => quiet(page));

    await check('talk() is heard', async () => {
      const heard = await talk(page, 'Good morning, this is what I was asked to say.');
      demand(heard >= 0, 'nothing was heard');
      return `after ${heard} ms`;
    });

    await check('an interruption stops the sound', async () => {
      await calm(page);
      await talk(page, 'This goes on for a while, without a pause that could be taken for its end.');
      const stopped = await page.evaluate(() => window.interruptAndListen());
      demand(stopped < 200, `it was heard for ${stopped} ms more`);
      return `after ${Math.round(stopped)} ms`;
    });

    await check('a question is answered in words and sound', async () => {
      const asked = await page.evaluate(async () => {
        const sound = window.waitForSound(true, 10_000);
        window.client.sendUserMessage('When do you open?');
        return sound;
      });
      demand(asked >= 0, 'nothing was heard');
      await page.waitForFunction(
          () => window.notes.messages.some(
              (message) => message.role === 'persona' && /nine in the morning/.test(message.content)));
      const messages = await page.evaluate(() => window.notes.messages);
      demand(messages.some(({role, content}) => role === 'user' && content === 'When do you open?'),
             `the history holds ${JSON.stringify(messages)}`);
    });

    await check('a talk stream is spoken as it comes', async () => {
      await calm(page);
      const heard = await page.evaluate(async () => {
        const sound = window.waitForSound(true, 10_000);
        const stream = window.client.createTalkMessageStream();
        await stream.streamMessageChunk('This comes in', false);
        await stream.streamMessageChunk(' two parts.', true);
        return sound;
      });
      demand(heard >= 0, 'nothing was heard');
    });

    await check('ending the session by our API ends it in the page at once', async () => {
      const sessions = await liveSessions();
      demand(sessions.length === 1, `there are ${sessions.length} live sessions`);
      const asked = await page.evaluate(() => window.since());
      const end = await call('POST', `/v1/live-sessions/${sessions[0].id}/end`, {});
      demand(end.status === 202, `${end.status} ${JSON.stringify(end.body)}`);
      await page.waitForFunction(() => window.notes.closed !== null);
      const closed = await page.evaluate(() => window.notes.closed);
      demand(closed.why[0] === 'CONNECTION_CLOSED_CODE_SERVER_CLOSED_CONNECTION',
             JSON.stringify(closed));
      return `${closed.at - asked} ms after it was asked for`;
    });
  });
}

// The document's own page and its own Express server: nothing of the page is changed, and the host
// that it names is answered by us.
async function runDocument() {
  const {DOCUMENT_PAGE: sample, DOCUMENT_SERVER: backend} = process.env;
  if (!sample) return console.log("skip the document's page (it is not here)");
  const site = await openSite(
      await bundle(`${fs.readFileSync(sample, 'utf8')}\nstartPersonaSession();\n`), backend);
  await browse('granted', async (browser) => {
    const words = "the document's page and its Express server show a face that moves and speaks";
    await check(words, async () => {
      const page = await (await browser.newContext()).newPage();
      page.setDefaultTimeout(PATIENCE_MS);
      await page.route('https://api.anam.ai/**', async (route) => {
        const url = route.request().url().replace('https://api.anam.ai', server);
        await route.fulfill({response: await route.fetch({url})});
      });
      await page.addInitScript(await ourPage());
      await page.goto(site.address);
      await page.waitForFunction(() => document.getElementById('persona-video')?.currentTime > 0.5);
      await page.evaluate(() => window.picture());
      await page.waitForTimeout(400);
      const picture = await page.evaluate(() => window.picture());
      demand(picture.moved > 0, 'no pixel moves');
      await page.evaluate(() => window.listen());
      const heard = await page.evaluate(() => window.waitForSound(true, 15_000));
      demand(heard >= 0, 'nothing was heard');
      await page.screenshot({path: path.join(SCREENSHOTS, 'live-face-document.png')});
    });
  });
  site.close();
}

fs.mkdirSync(SCREENSHOTS, {recursive: true});
const site = await openSite(await ourPage());
await loadPages(site.address, 'granted');
await loadPages(site.address, 'denied');
await converse(site.address);
await runDocument();
site.close();
