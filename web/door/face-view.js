// Draws a face sheet (docs/reference/face-sheet.md) on a canvas.
//
// render(face) takes a Map from input name to value (blendshapes 0..1, angles in radians, the extra
// inputs of the sheet); inputs that are missing count as 0, unknown ones are ignored. The drawing
// depends on the sheet, the face and the canvas size alone.
//
// SPDX-License-Identifier: Apache-2.0

const clamp = (value, low, high) => Math.max(low, Math.min(high, value));

// The sum of offsets [dx, dy] that `bindings` ({input: [dx, dy]}) give for the face.
function offset(bindings, face) {
  let x = 0;
  let y = 0;
  for (const [input, [dx, dy]] of Object.entries(bindings ?? {})) {
    const value = face.get(input) ?? 0;
    x += dx * value;
    y += dy * value;
  }
  return [x, y];
}

// Cubic segments [c1x, c1y, c2x, c2y, x, y] through the points: at a smooth point the tangent is
// parallel to the line between its neighbours, at a corner it aims at the segment's other end; each
// handle is a third of the segment's length.
function segments(points, closed, corners) {
  const count = points.length;
  const at = (index) => points[closed ? (index + count) % count : clamp(index, 0, count - 1)];
  const tangents = points.map((_, index) => {
    const [ax, ay] = at(index - 1);
    const [bx, by] = at(index + 1);
    const length = Math.hypot(bx - ax, by - ay) || 1;
    return [(bx - ax) / length, (by - ay) / length];
  });
  const result = [];
  for (let index = 0; index < (closed ? count : count - 1); ++index) {
    const next = (index + 1) % count;
    const [px, py] = points[index];
    const [qx, qy] = points[next];
    const handle = Math.hypot(qx - px, qy - py) / 3;
    const first = corners.has(index) ? [(qx - px) / 3, (qy - py) / 3] :
                                       tangents[index].map((part) => part * handle);
    const second = corners.has(next) ? [(qx - px) / 3, (qy - py) / 3] :
                                       tangents[next].map((part) => part * handle);
    result.push([px + first[0], py + first[1], qx - second[0], qy - second[1], qx, qy]);
  }
  return result;
}

export class FaceView {
  #canvas;
  #pen;
  #sheet;
  #bound;

  constructor(canvas, sheet) {
    if (sheet.format !== 'stagedoor-face-sheet' || sheet.version !== 1) {
      throw new TypeError('not a face sheet of version 1');
    }
    this.#canvas = canvas;
    this.#pen = canvas.getContext('2d', {alpha: false});
    this.#sheet = sheet;
    // Bindings turned round, point by point, so that a frame is one walk over the points.
    this.#bound = new Map();
    for (const [input, moves] of Object.entries(sheet.bindings)) {
      for (const [point, [dx, dy]] of Object.entries(moves)) {
        if (!this.#bound.has(point)) this.#bound.set(point, []);
        this.#bound.get(point).push([input, dx, dy]);
      }
    }
  }

  // Makes the canvas as many pixels as its place on the page has.
  fit() {
    const box = this.#canvas.getBoundingClientRect();
    const ratio = Math.min(window.devicePixelRatio || 1, 2);
    const width = Math.max(1, Math.round(box.width * ratio));
    const height = Math.max(1, Math.round(box.height * ratio));
    if (this.#canvas.width !== width) this.#canvas.width = width;
    if (this.#canvas.height !== height) this.#canvas.height = height;
  }

  // From sheet units to pixels: {scale, left, top}. The sheet covers the canvas, its focus centred.
  placement() {
    const [width, height] = this.#sheet.size;
    const scale = Math.max(this.#canvas.width / width, this.#canvas.height / height);
    const [focusX, focusY] = this.#sheet.focus;
    const left =
        clamp(this.#canvas.width / 2 - focusX * scale, this.#canvas.width - width * scale, 0);
    const top =
        clamp(this.#canvas.height / 2 - focusY * scale, this.#canvas.height - height * scale, 0);
    return {scale, left, top};
  }

  render(given) {
    const face = this.#withoutDoubles(given);
    const points = this.#pose(face);
    for (const layer of this.#sheet.layers) this.#layer(layer, points, face);
  }

  // A face may say the same thing twice, as the gaze in angles and as eyeLook shapes: the sheet
  // tells which of the two counts.
  #withoutDoubles(given) {
    const face = new Map(given);
    for (const [input, others] of Object.entries(this.#sheet.instead)) {
      if (given.has(input)) others.forEach((other) => face.delete(other));
    }
    return face;
  }

  // Where every named point is for this face, before layers turn.
  #pose(face) {
    const points = new Map();
    for (const [name, [x, y]] of Object.entries(this.#sheet.points)) {
      let px = x;
      let py = y;
      for (const [input, dx, dy] of this.#bound.get(name) ?? []) {
        const value = face.get(input) ?? 0;
        px += dx * value;
        py += dy * value;
      }
      points.set(name, [px, py]);
    }
    for (const [upper, lower] of this.#sheet.meet) {
      const above = points.get(upper);
      const below = points.get(lower);
      if (above[1] > below[1]) above[1] = below[1] = (above[1] + below[1]) / 2;
    }
    return points;
  }

  // How a layer's points move when the head turns: a function from sheet point to sheet point.
  #turn(layer, face) {
    const {centre: [cx, cy], neck: [nx, ny], radius} = this.#sheet.head;
    const {depth = 0, bulge = 0, follow = 0} = layer;
    const yaw = (face.get('headYaw') ?? 0) * follow;
    const pitch = (face.get('headPitch') ?? 0) * follow;
    const roll = (face.get('headRoll') ?? 0) * follow;
    const [moveX, moveY] = offset(layer.move, face);
    const [sinYaw, sinPitch] = [Math.sin(yaw), Math.sin(pitch)];
    const [cosRoll, sinRoll] = [Math.cos(roll), Math.sin(roll)];
    return ([x, y]) => {
      const across = (x - cx) / radius;
      const along = (y - cy) / radius;
      const nearness = depth - bulge * (across * across + along * along);
      const tx = x + nearness * sinYaw - nx;
      const ty = y - nearness * sinPitch - ny;
      return [nx + tx * cosRoll - ty * sinRoll + moveX, ny + tx * sinRoll + ty * cosRoll + moveY];
    };
  }

  #layer(layer, points, face) {
    const pen = this.#pen;
    const turn = this.#turn(layer, face);
    const place = (entry) => turn(typeof entry === 'string' ? points.get(entry) : entry);
    pen.save();
    if (layer.clip !== undefined) {
      this.#trace(this.#sheet.clips[layer.clip], place, [0, 0]);
      pen.clip();
    }
    for (const shape of layer.shapes) this.#shape(shape, place, face);
    pen.restore();
  }

  #trace(path, place, [shiftX, shiftY]) {
    const pen = this.#pen;
    const {scale, left, top} = this.placement();
    const placed = path.path.map((entry) => {
      const [x, y] = place(entry);
      return [(x + shiftX) * scale + left, (y + shiftY) * scale + top];
    });
    pen.setTransform(1, 0, 0, 1, 0, 0);
    pen.beginPath();
    pen.moveTo(...placed[0]);
    const closed = path.closed !== false;
    for (const part of segments(placed, closed, new Set(path.corners))) pen.bezierCurveTo(...part);
    if (closed) pen.closePath();
  }

  #shape(shape, place, face) {
    let opacity = shape.opacity ?? 1;
    for (const [input, amount] of Object.entries(shape.fade ?? {})) {
      opacity += amount * (face.get(input) ?? 0);
    }
    if (opacity <= 0) return;
    const pen = this.#pen;
    const shift = offset(shape.move, face);
    this.#trace(shape, place, shift);
    pen.globalAlpha = Math.min(1, opacity);
    if (shape.fill !== undefined) this.#fill(shape.fill, place, shift);
    if (shape.stroke !== undefined) {
      const {scale} = this.placement();
      pen.strokeStyle = shape.stroke;
      pen.lineWidth = shape.width * scale;
      pen.lineCap = pen.lineJoin = 'round';
      pen.stroke();
    }
    pen.globalAlpha = 1;
  }

  // Fills the traced path. A gradient stands in sheet units and travels with its layer and shape.
  #fill(name, place, [shiftX, shiftY]) {
    const pen = this.#pen;
    const paint = name.startsWith('#') ? name : this.#sheet.paints[name];
    if (typeof paint === 'string') {
      pen.fillStyle = paint;
      return pen.fill();
    }
    const anchor = paint.centre ?? paint.from;
    const [px, py] = place(anchor);
    const {scale, left, top} = this.placement();
    const travelX = px + shiftX - anchor[0];
    const travelY = py + shiftY - anchor[1];
    let gradient;
    if (paint.centre !== undefined) {
      gradient = pen.createRadialGradient(0, 0, 0, 0, 0, 1);
      pen.setTransform(
          paint.radii[0] * scale, 0, 0, paint.radii[1] * scale,
          (anchor[0] + travelX) * scale + left, (anchor[1] + travelY) * scale + top);
    } else {
      gradient = pen.createLinearGradient(...paint.from, ...paint.to);
      pen.setTransform(scale, 0, 0, scale, travelX * scale + left, travelY * scale + top);
    }
    for (const [place0, colour] of paint.stops) gradient.addColorStop(place0, colour);
    pen.fillStyle = gradient;
    pen.fill();
    pen.setTransform(1, 0, 0, 1, 0, 0);
  }
}
