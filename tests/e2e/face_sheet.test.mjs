// Every character's face sheet keeps the model of docs/reference/face-sheet.md.
// Run: node --test tests/e2e/face_sheet.test.mjs
//
// SPDX-License-Identifier: Apache-2.0

import assert from 'node:assert/strict';
import fs from 'node:fs';
import test from 'node:test';

const read = (path) => fs.readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
const shapes = read('src/stage/face.h').match(/enum class Shape[^{]*\{([^}]*)\}/)[1].match(/\w+/g);
const inputs =
    new Set([...shapes, 'headPitch', 'headYaw', 'headRoll', 'eyePitch', 'eyeYaw', 'breath']);
const colour = /^#([0-9a-f]{6}|[0-9a-f]{8})$/;

for (const character of ['ada', 'bruno']) {
  const sheet = JSON.parse(read(`web/faces/${character}.json`));
  const paths = [
    ...Object.entries(sheet.clips).map(([name, path]) => [`clip ${name}`, path]),
    ...sheet.layers.flatMap(
        (layer) => layer.shapes.map((shape, at) => [`${layer.name}, shape ${at}`, shape])),
  ];

  function knownInputs(moves, where) {
    for (const input of Object.keys(moves ?? {}))
      assert.ok(inputs.has(input), `${where}: ${input}`);
  }

  test(
      `${character}: there are 52 blendshapes, and every input of the sheet is one of them or an angle or breath`,
      () => {
        assert.equal(shapes.length, 52);
        knownInputs(sheet.bindings, 'bindings');
        for (const layer of sheet.layers) knownInputs(layer.move, layer.name);
        for (const [where, path] of paths) {
          knownInputs(path.move, where);
          knownInputs(path.fade, where);
        }
        for (const [input, others] of Object.entries(sheet.instead)) {
          for (const name of [input, ...others]) assert.ok(inputs.has(name), name);
        }
      });

  test(`${character}: every blendshape that speech or life moves changes the drawing`, () => {
    const used = new Set(Object.keys(sheet.bindings));
    for (const layer of sheet.layers)
      Object.keys(layer.move ?? {}).forEach((input) => used.add(input));
    for (const [, path] of paths) {
      for (const input of Object.keys({...path.move, ...path.fade})) used.add(input);
    }
    assert.deepEqual(shapes.filter((shape) => !used.has(shape)), []);
  });

  test(
      `${character}: every name of a point, clip or paint leads somewhere, and every point is used`,
      () => {
        const used = new Set();
        for (const [where, path] of paths) {
          for (const entry of path.path) {
            if (typeof entry !== 'string') continue;
            assert.ok(entry in sheet.points, `${where}: ${entry}`);
            used.add(entry);
          }
          if (path.fill !== undefined && !path.fill.startsWith('#'))
            assert.ok(path.fill in sheet.paints, where);
        }
        for (const moves of Object.values(sheet.bindings)) {
          for (const point of Object.keys(moves)) assert.ok(point in sheet.points, point);
        }
        for (const point of sheet.meet.flat()) assert.ok(point in sheet.points, point);
        for (const layer of sheet.layers)
          assert.ok(layer.clip === undefined || layer.clip in sheet.clips, layer.name);
        assert.deepEqual(Object.keys(sheet.points).filter((point) => !used.has(point)), []);
      });

  test(
      `${character}: paths have points enough, corners inside them, and colours that are colours`,
      () => {
        for (const [where, path] of paths) {
          assert.ok(path.path.length >= (path.closed === false ? 2 : 3), where);
          for (const corner of path.corners ?? []) assert.ok(corner < path.path.length, where);
          if (path.fill?.startsWith('#')) assert.match(path.fill, colour, where);
          if (path.stroke !== undefined)
            assert.ok(colour.test(path.stroke) && path.width > 0, where);
        }
        for (const [name, paint] of Object.entries(sheet.paints)) {
          assert.ok(
              ('from' in paint && 'to' in paint) !== ('centre' in paint && 'radii' in paint), name);
          for (const [place, tone] of paint.stops)
            assert.ok(place >= 0 && place <= 1 && colour.test(tone), name);
        }
      });

  test(`${character}: the lips are closed at rest and the jaw opens them`, () => {
    for (const [upper, lower] of sheet.meet.filter(([name]) => name.startsWith('lip'))) {
      assert.deepEqual(sheet.points[upper], sheet.points[lower]);
      assert.ok(
          sheet.bindings.jawOpen[lower][1] > 50 && (sheet.bindings.jawOpen[upper]?.[1] ?? 0) < 10);
    }
  });

  test(`${character}: mouthClose shuts the lips that jawOpen has opened by as much`, () => {
    for (const [upper, lower] of sheet.meet.filter(([name]) => name.startsWith('lip'))) {
      const down = (point) =>
          sheet.bindings.jawOpen[point][1] + sheet.bindings.mouthClose[point][1];
      assert.ok(down(lower) - down(upper) < 3, `${lower} stays open`);
    }
  });
}
