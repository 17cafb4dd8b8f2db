// Asks personas with the vendor's published client in Chromium, and writes down what they answered
// and what was told of their tools, as one JSON object on stdout. It judges nothing:
// persona_engines_test.py does.
//
// node persona_engines_browser.mjs CASES, a JSON object of {persona, question} by name, with the
// environment of anam_browser.mjs.
//
// SPDX-License-Identifier: Apache-2.0

import {begin, browse, event, liveSessions, openSite, ourPage} from './anam_browser.mjs';

const cases = JSON.parse(process.argv[2]);

async function ask(browser, address, {persona, question}) {
  const page = await begin(browser, address, {persona: {skipGreeting: true, ...persona}});
  await event(page, 'SESSION_READY');
  const [session] = await liveSessions();
  await page.evaluate((words) => window.client.sendUserMessage(words), question);
  await page.waitForFunction(
      () => window.notes.speech.some((piece) => piece.role === 'persona' && piece.endOfSpeech));
  const notes = await page.evaluate(() => window.notes);
  await page.evaluate(() => window.client.stopStreaming());
  await page.context().close();
  return {sessionId: session.id, ...notes};
}

const site = await openSite(await ourPage());
const heard = {};
await browse('granted', async (browser) => {
  for (const [name, one] of Object.entries(cases))
    heard[name] = await ask(browser, site.address, one);
});
site.close();
process.stdout.write(JSON.stringify(heard));
