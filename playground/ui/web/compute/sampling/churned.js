/* Samplers with a churn dial: the twin of playground/dynamics/churned.py, where the methods are explained; what a sampler
   is stands in samplers.js. */

import { noiseToSignal, timeAt } from "./grids.js";
import { noiseRatio, splitting } from "./levels.js";
import { combine } from "./runge-kutta.js";

const MOST_CHURN = Math.SQRT2 - 1;

/** g² of a bridge. */
function bridgeRate({ level }, t) {
  return t > 0 && t < 1 ? level(t).gamma ** 2 / (t * (1 - t)) : 0;
}

/** Euler and Maruyama's method; twice the evaluations along bridges. */
export function* eulerMaruyama(process, x0, times, noise, { churn }) {
  const bridged = process.bridge && churn > 0;
  const velocity = new Float32Array(x0.length);
  const score = bridged ? new Float32Array(x0.length) : null;
  let x = x0.slice();
  yield { t: times[0], x, nfe: 0 };
  for (let step = 1; step < times.length; step++) {
    const [t, after] = [times[step - 1], times[step]];
    const [now, then] = [process.level(t), process.level(after)];
    const h = after - t;
    process.velocity(x, t, velocity);
    yield null;
    const next = combine(x, h, [1], [velocity], new Float32Array(x.length));
    if (bridged) {
      process.score(x, t, score);
      yield null;
      const rate = churn * bridgeRate(process, t);
      const z = noise.step(t, after);
      const spread = Math.sqrt(rate * h);
      for (let k = 0; k < next.length; k++) next[k] += 0.5 * rate * h * score[k] + spread * z[k];
    } else if (churn > 0) {
      const left = noiseRatio(now, then) ** churn;
      const [ofVelocity, ofPoint] = splitting(now).noise;
      const z = noise.step(t, after);
      const fresh = then.sigma * Math.sqrt(Math.max(0, 1 - left ** 2));
      const old = then.sigma * (left - 1);
      for (let k = 0; k < next.length; k++) next[k] += old * (ofVelocity * velocity[k] + ofPoint * x[k]) + fresh * z[k];
    }
    x = next;
    yield { t: after, x, nfe: step * (bridged ? 2 : 1) };
  }
}

/** Raises the noise, then takes a midpoint step from there; along bridges the midpoint method on the diffusion. */
export function* stochasticMidpoint(process, x0, times, noise, { churn }) {
  if (process.bridge && churn > 0) {
    yield* midpointOnBridge(process, x0, times, noise, churn);
    return;
  }
  const slope = new Float32Array(x0.length);
  const point = new Float32Array(x0.length);
  let x = x0.slice();
  yield { t: times[0], x, nfe: 0 };
  for (let step = 1; step < times.length; step++) {
    const [t, after] = [times[step - 1], times[step]];
    let [begin, from] = [t, x];
    if (churn > 0) {
      const factor = Math.sqrt(1 + churn * (1 - noiseRatio(process.level(t), process.level(after)) ** 2));
      [begin, from] = renoised(process, times[0], t, factor, x, noise.step(t, after));
    }
    const h = after - begin;
    process.velocity(from, begin, slope);
    yield null;
    process.velocity(combine(from, h, [0.5], [slope], point), begin + 0.5 * h, slope);
    yield null;
    x = combine(from, h, [1], [slope], new Float32Array(x.length));
    yield { t: after, x, nfe: 2 * step };
  }
}

function* midpointOnBridge(process, x0, times, noise, churn) {
  const [velocity, score] = [new Float32Array(x0.length), new Float32Array(x0.length)];
  let x = x0.slice();
  function* drift(at, t, into) {
    process.velocity(at, t, velocity);
    yield null;
    process.score(at, t, score);
    yield null;
    const pull = 0.5 * churn * bridgeRate(process, t);
    for (let k = 0; k < into.length; k++) into[k] = velocity[k] + pull * score[k];
  }
  const [slope, shaken, there] = [
    new Float32Array(x0.length),
    new Float32Array(x0.length),
    new Float32Array(x0.length),
  ];
  yield { t: times[0], x, nfe: 0 };
  for (let step = 1; step < times.length; step++) {
    const [t, after] = [times[step - 1], times[step]];
    const half = 0.5 * (after - t);
    const middle = t + half;
    const shake = (begin, end) => {
      const spread = Math.sqrt(churn * bridgeRate(process, begin + 0.5 * half) * half);
      const z = noise.step(begin, end);
      for (let k = 0; k < shaken.length; k++) shaken[k] += spread * z[k];
    };
    shaken.fill(0);
    shake(t, middle);
    yield* drift(x, t, slope);
    for (let k = 0; k < there.length; k++) there[k] = x[k] + half * slope[k] + shaken[k];
    yield* drift(there, middle, slope);
    shake(middle, after);
    x = x.map((value, k) => value + 2 * half * slope[k] + shaken[k]);
    yield { t: after, x, nfe: 4 * step };
  }
}

/** Raises the noise by a little, then takes a step of Heun's from there. */
export function* stochasticHeun(process, x0, times, noise, { s_churn: churn }) {
  const share = Math.min(churn / (times.length - 1), MOST_CHURN);
  const [first, second] = [new Float32Array(x0.length), new Float32Array(x0.length)];
  const point = new Float32Array(x0.length);
  let x = x0.slice();
  yield { t: times[0], x, nfe: 0 };
  for (let step = 1; step < times.length; step++) {
    const [t, after] = [times[step - 1], times[step]];
    const [begin, from] = share > 0 ? renoised(process, times[0], t, 1 + share, x, noise.step(t, after)) : [t, x];
    const h = after - begin;
    process.velocity(from, begin, first);
    yield null;
    process.velocity(combine(from, h, [1], [first], point), after, second);
    yield null;
    x = combine(from, h, [0.5, 0.5], [first, second], new Float32Array(x.length));
    yield { t: after, x, nfe: 2 * step };
  }
}

/** [the earlier time at which sigma / alpha is `factor` times as large, the points x there, with more of the noise z]. */
function renoised(process, first, t, factor, x, z) {
  const now = process.level(t);
  if (now.alpha === 0) return [t, x];
  const begin = noisier(process, first, t, factor);
  const raised = process.level(begin);
  const shrunk = raised.alpha / now.alpha;
  const added = Math.sqrt(Math.max(0, raised.sigma ** 2 - (shrunk * now.sigma) ** 2));
  return [begin, x.map((value, k) => shrunk * value + added * z[k])];
}

/** The time before t at which sigma / alpha is `factor` times as large, or `first`. */
function noisier({ level }, first, t, factor) {
  return timeAt(level, factor * noiseToSignal(level, t), first, t);
}
