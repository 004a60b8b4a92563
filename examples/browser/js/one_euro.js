// The 1€ filter (Casiez et al., CHI 2012): what rests does not tremble, what moves does not lag.

const SPEED_CUTOFF = 1; // Hz

export class OneEuro {
  /**
   * @param {number} cutoff  At rest, in Hz; lower trembles less.
   * @param {number} beta    Hz per unit of speed; higher lags less.
   */
  constructor(cutoff, beta) {
    this.cutoff = cutoff;
    this.beta = beta;
    this.value = null;
    this.speed = null;
  }

  /**
   * @param {number[]} sample
   * @param {number} seconds  Since the sample before.
   * @param {number} unit     What counts as one for the speed: the size of the face in pixels.
   */
  next(sample, seconds, unit) {
    if (!this.value || !(seconds > 0)) {
      this.value ??= sample;
      this.speed ??= sample.map(() => 0);
      return this.value;
    }
    const gain = factor(SPEED_CUTOFF, seconds);
    const steps = sample.map((value, i) => value - this.value[i]);
    this.speed = this.speed.map((speed, i) => speed + gain * (steps[i] / seconds - speed));
    // Root of the mean square: all points are of one face.
    const pace = Math.hypot(...this.speed) / Math.sqrt(sample.length) / unit;
    const share = factor(this.cutoff + this.beta * pace, seconds);
    this.value = this.value.map((value, i) => value + share * steps[i]);
    return this.value;
  }
}

function factor(cutoff, seconds) {
  const rate = 2 * Math.PI * cutoff * seconds;
  return rate / (rate + 1);
}
