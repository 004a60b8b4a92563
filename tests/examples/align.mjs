// Align the faces of a picture with the page's own modules; JSON to stdout.
// node align.mjs BROWSER_FOLDER MODELS_FOLDER RGBA_FILE WIDTH HEIGHT [MAX_HEIGHT MAX_WIDTH [FRAMES]]

import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

const [browser, models, file] = process.argv.slice(2, 5).map((path) => resolve(path));
const numbers = process.argv.slice(5);
const [width, height, maxHeight, maxWidth, frames] = numbers.map(Number);
const load = (path) => import(pathToFileURL(path).href);
const require = createRequire(join(browser, "package.json"));
const ort = await load(require.resolve("onnxruntime-web/wasm").replace(/\.js$/, ".mjs"));
const { openEngine } = await load(join(browser, "js", "engine.js"));
const { alignBoxes, Tracker } = await load(join(browser, "js", "tracker.js"));

ort.env.wasm.numThreads = 1;
const read = async (name) => new Uint8Array(await readFile(join(models, name)));
const { detector, regressor } = await openEngine(ort, read);
const picture = { data: new Uint8ClampedArray(await readFile(file)), width, height };
const limits = maxHeight ? { maxHeight, maxWidth } : {};

const plain = (face) => ({ ...face, crop: undefined, filter: undefined });
const found = await alignBoxes(regressor, picture, await detector.detect(picture, limits));
const tracked = [];
const tracker = new Tracker(detector, regressor);
for (let i = 0; i < (frames || 0); i++) {
  // From the middle on there is nothing to see.
  const seen = i < frames / 2 ? picture : { ...picture, data: picture.data.map(() => 128) };
  tracked.push((await tracker.next(seen, i / 25)).map(plain));
}
process.stdout.write(JSON.stringify({ faces: found.map(plain), tracked }), () => process.exit(0));
