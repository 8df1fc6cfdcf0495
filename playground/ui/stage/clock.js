/**
 * The animation's clock: carries t from 0 (source) to 1 (target), rests at both ends, and starts over.
 *
 * It draws nothing and asks for no frames: whoever owns it calls `tick` once a frame with the time in ms.
 */

/** A frame that comes later than this (a hidden tab, a stall) counts as this long, so that nothing leaps. */
const LONGEST_FRAME = 100;

export class Clock {
  /** All in ms: the way from source to target, the rest at the target, the rest at the source. */
  constructor({ travel = 3000, restAtEnd = 1500, restAtStart = 300 } = {}) {
    this.travel = travel;
    this.restAtEnd = restAtEnd;
    this.restAtStart = restAtStart;
    this.speed = 1;
    this.loop = true;
    this.t = 1;
    this.playing = false;
    this.held = false;
    this.rest = 0;
    this.last = null;
  }

  /** Plays on from t, or from the source if t already stands at the target. */
  play() {
    if (this.t >= 1) this.restart();
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
    this.rest = this.restAtStart;
    this.last = null;
  }

  seek(t) {
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
    const elapsed = this.last === null ? 0 : Math.min(LONGEST_FRAME, now - this.last);
    this.last = now;
    if (!this.playing) return false;
    if (this.rest > 0) {
      this.rest -= elapsed * this.speed;
      if (this.rest > 0 || this.t < 1) return false;
    }
    if (this.t >= 1) {
      if (!this.loop) {
        this.playing = false;
        return false;
      }
      this.restart();
      this.last = now;
      return true;
    }
    this.t = Math.min(1, this.t + (elapsed * this.speed) / this.travel);
    if (this.t >= 1) this.rest = this.restAtEnd;
    return elapsed > 0;
  }
}
