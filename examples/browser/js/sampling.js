// From pictures to network inputs: BGR planes of floats.
//
// A picture is {data, width, height} with RGBA bytes, as a canvas gives them. Resizing is bilinear
// and puts pixel centers where OpenCV does: column x of the result is (x + 1/2) * scale - 1/2.

/**
 * Resize a part of a picture; what lies beyond the picture is black.
 *
 * @param {{data: Uint8ClampedArray, width: number, height: number}} picture
 * @param {number[]} part  [left, top, right, bottom] in whole pixels.
 * @param {number} width   Of the result.
 * @param {number} height
 * @param {(byte: number, channel: number) => number} normalize  Channels are 0 B, 1 G, 2 R.
 * @returns {Float32Array} (3, height, width)
 */
export function resized(picture, part, width, height, normalize) {
  const [left, top, right, bottom] = part;
  const x = taps(left, right, width, picture.width, 4);
  const y = taps(top, bottom, height, picture.height, 4 * picture.width);
  const levels = [0, 1, 2].map((c) => Float32Array.from({ length: 256 }, (_, v) => normalize(v, c)));
  const { data } = picture;
  const plane = width * height;
  const out = new Float32Array(3 * plane);
  for (let row = 0, at = 0; row < height; row++) {
    const [up, down, fy] = [y.first[row], y.second[row], y.share[row]];
    for (let column = 0; column < width; column++, at++) {
      const [before, after, fx] = [x.first[column], x.second[column], x.share[column]];
      for (let channel = 0; channel < 3; channel++) {
        const shift = 2 - channel; // RGBA to BGR
        // Beyond the picture offsets are negative, and there is nothing at them.
        const a = up < 0 || before < 0 ? 0 : data[up + before + shift];
        const b = up < 0 || after < 0 ? 0 : data[up + after + shift];
        const c = down < 0 || before < 0 ? 0 : data[down + before + shift];
        const d = down < 0 || after < 0 ? 0 : data[down + after + shift];
        const upper = a + (b - a) * fx;
        const lower = c + (d - c) * fx;
        // Adding a half and cutting off rounds: bytes are not negative.
        out[channel * plane + at] = levels[channel][(upper + (lower - upper) * fy + 0.5) | 0];
      }
    }
  }
  return out;
}

/**
 * Where the pixels of a resized side come from: offsets of two sources, -1 for those beyond the
 * picture, and the second one's weight.
 */
function taps(begin, end, length, limit, step) {
  const from = end - begin;
  const scale = from / length;
  const first = new Int32Array(length);
  const second = new Int32Array(length);
  const share = new Float64Array(length);
  const offset = (i) => (begin + i >= 0 && begin + i < limit ? (begin + i) * step : -1);
  for (let i = 0; i < length; i++) {
    const place = Math.max(0, (i + 0.5) * scale - 0.5);
    const low = Math.min(Math.floor(place), from - 1);
    first[i] = offset(low);
    second[i] = offset(Math.min(low + 1, from - 1));
    share[i] = low < from - 1 ? place - low : 0;
  }
  return { first, second, share };
}
