// Prior boxes (anchors) of FaceBoxes for any size of the network's input.

/**
 * @param {{stride: number, sizes: number[], densities: number[]}[]} layers
 *   Detection layers, as models/model.json has them.
 * @param {number} height  Of the network's input in pixels.
 * @param {number} width
 * @returns {Float32Array} cx, cy, w, h of each prior as fractions of width and height. Order: layer,
 *   cell row, cell column, size, dense y, dense x.
 */
export function priorBoxes(layers, height, width) {
  const values = [];
  for (const layer of layers) {
    const { stride } = layer;
    const cell = cellAnchors(layer);
    for (let row = 0; row < Math.ceil(height / stride); row++) {
      for (let column = 0; column < Math.ceil(width / stride); column++) {
        for (const { x, y, size } of cell) {
          values.push(((column + x) * stride) / width, ((row + y) * stride) / height);
          values.push(size / width, size / height);
        }
      }
    }
  }
  return new Float32Array(values);
}

/** Offsets (in cells) and sides (in pixels) of the anchors of one cell. */
function cellAnchors({ sizes, densities }) {
  const anchors = [];
  sizes.forEach((size, number) => {
    const density = densities[number];
    const offsets =
      density === 1 ? [0.5] : Array.from({ length: density }, (_, i) => i / density);
    for (const y of offsets) for (const x of offsets) anchors.push({ x, y, size });
  });
  return anchors;
}
