// Asks personas with the vendor's published client in Chromium, and writes down what they answered
// and what was told of their tools, as one JSON object on stdout. It judges nothing:
// persona_engines_test.py does.
//
// node persona_engines_browser.mjs CASES, a JSON object of {persona, question} by name, with what the
// client does besides (tools, context, stream, hasty), and with the environment of anam_browser.mjs.
//
// SPDX-License-Identifier: Apache-2.0

import {begin, browse, event, liveSessions, openSite, ourPage} from './anam_browser.mjs';

const cases = JSON.parse(process.argv[2]);

const answered = (page, count) => page.waitForFunction(
    (wanted) => window.notes.speech.filter(
        (piece) => piece.role === 'persona' && piece.endOfSpeech).length >= wanted, count);

// The client's own tools, by name with what each gives; what it is asked with is noted.
const register = (page, tools) => page.evaluate((given) => {
  window.notes.asked = [];
  for (const [name, result] of Object.entries(given))
    window.client.registerToolCallHandler(name, {
      onStart: async ({arguments: asked}) => {
        window.notes.asked.push(asked);
        return result;
      },
    });
}, tools);

// Words that the client streams, interrupted when the first is heard.
async function interruptStream(page, words) {
  await page.evaluate((text) => {
    window.stream = window.client.createTalkMessageStream();
    return window.stream.streamMessageChunk(text, false);
  }, words);
  await page.waitForFunction(
      () => window.notes.speech.some((piece) => piece.role === 'persona' && piece.content));
  await page.evaluate(() => window.client.interruptPersona());
  await event(page, 'TALK_STREAM_INTERRUPTED');
  return page.evaluate(() => window.stream.isActive());
}

// Words without an end, each of them interrupted at once, until a warning comes; then a last word.
async function interruptAll(page, words, lastWords) {
  await page.evaluate(async (text) => {
    while (window.notes.warnings.length === 0) {
      await window.client.talk(text);
      await new Promise((done) => setTimeout(done, 20));  // as long as it takes to be asked for
      window.client.interruptPersona();
    }
  }, words);
  await page.evaluate((text) => window.client.talk(text), lastWords);
  await page.waitForFunction(
      (text) => window.notes.speech.map((piece) => piece.content).join('').endsWith(text),
      lastWords);
}

async function ask(browser, address, one) {
  const {persona, question, tools = {}, context, stream, hasty} = one;
  const page = await begin(browser, address, {persona: {skipGreeting: true, ...persona}});
  await event(page, 'SESSION_READY');
  const [session] = await liveSessions();
  await register(page, tools);
  const streamed = stream ? await interruptStream(page, stream) : null;
  if (hasty) await interruptAll(page, hasty, 'At last.');
  if (context) await page.evaluate((words) => window.client.addContext(words), context);
  if (question) {
    await page.evaluate((words) => window.client.sendUserMessage(words), question);
    await answered(page, 1);
  }
  const notes = await page.evaluate(() => window.notes);
  await page.evaluate(() => window.client.stopStreaming());
  await page.context().close();
  return {sessionId: session.id, streamed, ...notes};
}

const site = await openSite(await ourPage());
const heard = {};
await browse('granted', async (browser) => {
  for (const [name, one] of Object.entries(cases))
    heard[name] = await ask(browser, site.address, one);
});
site.close();
process.stdout.write(JSON.stringify(heard));
