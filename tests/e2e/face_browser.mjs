// Draws faces with the page's own face-view.js in a real Chromium and measures how far the server's
// pictures of the same faces are from them. It judges nothing: face_test.py does.
//
// node face_browser.mjs CASES.json, a list of {sheet, inputs, png, width, height, screenshot};
// gives a list of {mean, worstBlock} on stdout: the difference of a colour's part, 0 to 255, on
// average over the picture, and over that block of 16 by 16 pixels where it is largest.
//
// SPDX-License-Identifier: Apache-2.0

import fs from 'node:fs';
import {chromium} from 'playwright-core';

const cases = JSON.parse(fs.readFileSync(process.argv[2], 'utf8'));
const view = fs.readFileSync(new URL('../../web/door/face-view.js', import.meta.url), 'utf8');

async function measure({source, sheet, inputs, png, width, height}) {
  const url = URL.createObjectURL(new Blob([source], {type: 'text/javascript'}));
  const {FaceView} = await import(url);
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [width, height];
  new FaceView(canvas, sheet).render(new Map(Object.entries(inputs)));
  const pixelsOf = (picture) => {
    const pen = new OffscreenCanvas(width, height).getContext('2d');
    pen.drawImage(picture, 0, 0);
    return pen.getImageData(0, 0, width, height).data;
  };
  const served = new Image();
  served.src = `data:image/png;base64,${png}`;
  await served.decode();
  const [ours, theirs] = [pixelsOf(canvas), pixelsOf(served)];
  const across = Math.ceil(width / 16);
  const blocks = new Array(across * Math.ceil(height / 16)).fill(0);
  let total = 0;
  for (let at = 0; at < ours.length; at += 4) {
    const [x, y] = [(at / 4) % width, Math.floor(at / 4 / width)];
    let off = 0;
    for (let part = 0; part < 3; ++part) off += Math.abs(ours[at + part] - theirs[at + part]);
    total += off;
    blocks[Math.floor(y / 16) * across + Math.floor(x / 16)] += off;
  }
  return {
    mean: total / (width * height * 3),
    worstBlock: Math.max(...blocks) / (256 * 3),
    drawn: canvas.toDataURL('image/png').split(',')[1],
  };
}

const browser = await chromium.launch({
  executablePath: '/usr/bin/chromium',
  args: ['--headless=new', '--no-sandbox', '--disable-gpu', '--force-color-profile=srgb'],
});
try {
  const page = await browser.newPage();
  const measured = [];
  for (const one of cases) {
    const {drawn, ...numbers} = await page.evaluate(measure, {
      ...one,
      source: view,
      sheet: JSON.parse(fs.readFileSync(one.sheet, 'utf8')),
      png: fs.readFileSync(one.png).toString('base64'),
    });
    fs.writeFileSync(one.screenshot, Buffer.from(drawn, 'base64'));
    measured.push(numbers);
  }
  process.stdout.write(JSON.stringify(measured));
} finally {
  await browser.close();
}
