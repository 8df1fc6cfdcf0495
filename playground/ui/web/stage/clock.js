/** The time t along the path, which a Clock carries from source to target. Nothing here draws or asks for frames. */

/** A frame that comes later than this (a hidden tab, a stall) counts as this long, so that nothing leaps. */
const LONGEST_FRAME = 100;

/** Carries t from 0 (source) to 1 (target), rests at both ends, and starts over; `tick` it once a frame. With `returns`
    it does not leap to the source but runs back there, while `back` is true. */
export class Clock {
  /** All in ms: the way from source to target, the rest at the target, the rest at the source. */
  constructor({ travel = 3000, restAtEnd = 1500, restAtStart = 300 } = {}) {
    this.travel = travel;
    this.restAtEnd = restAtEnd;
    this.restAtStart = restAtStart;
    this.speed = 1;
    this.loop = true;
    this.returns = false;
    this.back = false;
    this.t = 1;
    this.playing = false;
    this.held = false;
    this.rest = 0;
    this.last = null;
  }

  /** Plays on from t, or from the source if t already stands at the target. */
  play() {
    if (this.t >= 1 && this.returns) this.#turn();
    else if (this.t >= 1) this.restart();
    this.playing = true;
    this.last = null;
  }

  pause() {
    this.playing = false;
    this.held = false;
  }

  /** Goes back to the source; whether it plays stays as it was. */
  restart() {
    this.t = 0;
    this.back = false;
    this.rest = this.restAtStart;
    this.last = null;
  }

  #turn() {
    this.back = true;
    this.rest = 0;
  }

  seek(t) {
    this.back = false;
    this.t = Math.min(1, Math.max(0, t));
    this.rest = this.t >= 1 ? this.restAtEnd : 0;
  }

  /** A hand is on the time slider: stand still until `release`, then go on if it was playing. */
  hold() {
    this.held = this.held || this.playing;
    this.playing = false;
  }

  /** Moves to t by hand; without a hold (arrow keys) it stays there. */
  scrub(t) {
    this.playing = false;
    this.seek(t);
  }

  release() {
    if (!this.held) return;
    this.held = false;
    this.playing = true;
    this.last = null;
  }

  /** Advances to `now` (ms) and says whether t has moved. */
  tick(now) {
    const elapsed = this.last === null ? 0 : Math.min(LONGEST_FRAME, now - this.last) * this.speed;
    this.last = now;
    if (!this.playing || elapsed === 0) return false;
    this.rest = Math.max(0, this.rest - elapsed);
    if (this.rest > 0) return false;
    if (this.back) {
      this.t = Math.max(0, this.t - elapsed / this.travel);
      if (this.t <= 0) [this.back, this.rest] = [false, this.restAtStart];
      return true;
    }
    if (this.t >= 1 && this.returns) {
      this.#turn();
      return true;
    }
    if (this.t >= 1) {
      this.t = 0;
      this.rest = this.restAtStart;
      return true;
    }
    this.t = Math.min(1, this.t + elapsed / this.travel);
    if (this.t >= 1) {
      this.rest = this.restAtEnd;
      this.playing = this.loop;
    }
    return true;
  }
}
