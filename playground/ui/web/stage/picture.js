/** The requests for the stage's picture: every wish is sent at once, the sampler keeps the newest of each lane. */
export class Pictures {
  constructor(sampler, lane) {
    Object.assign(this, { sampler, lane, sent: 0, shown: 0 });
    this.underWay = new Map(); // number of the request → its snapshot, and the one that guides it
  }

  get idle() {
    return this.underWay.size === 0;
  }

  /** Whether a snapshot is being sampled, so that it may not be forgotten yet. */
  uses(snapshot) {
    return [...this.underWay.values()].some((used) => used.includes(snapshot));
  }

  /** The trajectory, or null where a newer request was answered first or took its place. */
  async ask(request) {
    const number = ++this.sent;
    this.underWay.set(number, [request.snapshot, request.guiding?.guide]);
    try {
      const trajectory = await this.sampler.sample({ ...request, lane: this.lane });
      if (!trajectory || number < this.shown) return null;
      this.shown = number;
      return trajectory;
    } finally {
      this.underWay.delete(number);
    }
  }
}
