// One frame after the other, as fast as they come and are worked on; late ones are left out.

import { drawFaces } from "./drawing.js";
import { grab } from "./sources.js";

const SHOWN_EVERY = 500; // milliseconds

export class FrameLoop {
  /**
   * @param {HTMLVideoElement} video
   * @param {CanvasRenderingContext2D} context
   * @param {Tracker} tracker
   * @param {(stats: {fps: number, work: number, faces: number}) => void} show
   */
  constructor(video, context, tracker, show) {
    Object.assign(this, { video, context, tracker, show });
    this.run = 0;
  }

  start() {
    this.tracker.reset();
    this.run += 1;
    this.counted = { frames: 0, work: 0, since: performance.now() };
    this.wait(this.run);
  }

  stop() {
    this.run += 1;
  }

  wait(run) {
    const next = () => this.step(run);
    if (this.video.requestVideoFrameCallback) this.video.requestVideoFrameCallback(next);
    else requestAnimationFrame(next);
  }

  async step(run) {
    if (run !== this.run) return;
    const { video, context } = this;
    const start = performance.now();
    let faces = [];
    if (video.videoWidth) {
      const picture = grab(context, video, video.videoWidth, video.videoHeight);
      faces = await this.tracker.next(picture, start / 1000);
      if (run !== this.run) return;
      drawFaces(context, faces);
    }
    this.count(performance.now() - start, faces.length);
    this.wait(run);
  }

  count(work, faces) {
    const { counted } = this;
    counted.frames += 1;
    counted.work += work;
    const now = performance.now();
    const passed = now - counted.since;
    if (passed < SHOWN_EVERY) return;
    const { frames } = counted;
    this.show({ fps: (1000 * frames) / passed, work: counted.work / frames, faces, frames });
    this.counted = { frames: 0, work: 0, since: now };
  }
}
