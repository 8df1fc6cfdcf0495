/* Samplers of diffusions: what can be done with a velocity field when its path and its score are known as well.

   The twin of playground/dynamics/samplers.py, where the methods are explained. A sampler is a generator
       function* (process, x0, times, noise, dials) → yields {t, x, nfe}, and null after each evaluation
   with process {velocity(x, t, into), score(x, t, into)?, level(t) → {alpha, sigma, gamma, dAlpha, dSigma}, bridge} and
   noise a Brownian (noise.js). */

import { combine } from "./runge-kutta.js";

const MOST_CHURN = Math.SQRT2 - 1;
const FEW_STEPS = 15;
const BISECTIONS = 40;

/** What each dial is called, where it begins and ends. */
export const DIALS = {
  churn: {
    label: "Churn",
    about:
      "How much noise is added and taken away on the way: 0 follows the flow (an ODE), 1 the reverse diffusion (an SDE). The marginals stay the same.",
    low: 0,
    high: 1,
    step: 0.01,
    standard: 1,
  },
  s_churn: {
    label: "S<sub>churn</sub>",
    about:
      "How much noise is added in all: each step raises the noise by the share S_churn / steps, by no more than 41 %. 0 is Heun's method.",
    low: 0,
    high: 100,
    step: 1,
    standard: 10,
  },
  variance: {
    label: "Variance",
    about:
      "Of the noise in each step: 0 is the posterior's least, 1 its greatest; between them the logarithms are mixed.",
    low: 0,
    high: 1,
    step: 0.01,
    standard: 0,
  },
  eta: {
    label: "η",
    about: "How much of the noise is new in each step: 0 is deterministic, 1 is DDPM's ancestral sampling.",
    low: 0,
    high: 1,
    step: 0.01,
    standard: 0,
  },
};

/** By name: what it is called, its dial, evaluations a step, whether it may add noise, whether it follows bridges. */
export const SAMPLERS = {
  euler_maruyama: { label: "Euler–Maruyama", dial: "churn", cost: 1, noisy: true, bridges: true, solve: eulerMaruyama },
  stochastic_heun: { label: "Stochastic Heun (EDM)", dial: "s_churn", cost: 2, noisy: true, solve: stochasticHeun },
  ancestral: { label: "DDPM ancestral", dial: "variance", cost: 1, noisy: true, solve: ancestral },
  ddim: { label: "DDIM", dial: "eta", cost: 1, noisy: true, solve: ddim },
  dpm_solver: { label: "DPM-Solver++(2M)", dial: null, cost: 1, noisy: false, solve: dpmSolver },
};

export function isSampler(solver) {
  return typeof solver === "string" && Object.hasOwn(SAMPLERS, solver);
}

/** Whether a request's particles jitter. */
export function isNoisy({ solver, ...dials }) {
  if (!isSampler(solver)) return false;
  const { noisy, dial } = SAMPLERS[solver];
  return noisy && (solver === "ancestral" || (dials[dial] ?? DIALS[dial].standard) > 0);
}

/** How much of the noise is still there at the later level, undisturbed. */
const kept = (before, after) => (before.alpha * after.sigma) / (after.alpha * before.sigma);

/** [a, b] for data and [c, d] for noise such that x̂1 = a v + b x and x̂0 = c v + d x. */
function splitting({ alpha, sigma, dAlpha, dSigma }) {
  const turning = dAlpha * sigma - dSigma * alpha;
  return { data: [sigma / turning, -dSigma / turning], noise: [-alpha / turning, dAlpha / turning] };
}

/** [β̃, β]. */
function posteriorVariances(now, then) {
  const beta = now.sigma ** 2 - ((now.alpha / then.alpha) * then.sigma) ** 2;
  return [(then.sigma / now.sigma) ** 2 * beta, beta];
}

function* eulerMaruyama(process, x0, times, noise, { churn }) {
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
      const rate = churn * (t > 0 && t < 1 ? now.gamma ** 2 / (t * (1 - t)) : 0);
      const z = noise.step(t, after);
      const spread = Math.sqrt(rate * h);
      for (let k = 0; k < next.length; k++) next[k] += 0.5 * rate * h * score[k] + spread * z[k];
    } else if (churn > 0) {
      const left = kept(now, then) ** churn;
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

function* stochasticHeun(process, x0, times, noise, { s_churn: churn }) {
  const share = Math.min(churn / (times.length - 1), MOST_CHURN);
  const [first, second] = [new Float32Array(x0.length), new Float32Array(x0.length)];
  const point = new Float32Array(x0.length);
  let x = x0.slice();
  yield { t: times[0], x, nfe: 0 };
  for (let step = 1; step < times.length; step++) {
    const [t, after] = [times[step - 1], times[step]];
    const now = process.level(t);
    let begin = t;
    let from = x;
    if (share > 0 && now.alpha > 0) {
      begin = noisier(process, times[0], t, 1 + share);
      const raised = process.level(begin);
      const shrunk = raised.alpha / now.alpha;
      const added = Math.sqrt(Math.max(0, raised.sigma ** 2 - (shrunk * now.sigma) ** 2));
      const z = noise.step(t, after);
      from = x.map((value, k) => shrunk * value + added * z[k]);
    }
    const h = after - begin;
    process.velocity(from, begin, first);
    yield null;
    process.velocity(combine(from, h, [1], [first], point), after, second);
    yield null;
    x = combine(from, h, [0.5, 0.5], [first, second], new Float32Array(x.length));
    yield { t: after, x, nfe: 2 * step };
  }
}

/** The time before t at which sigma / alpha is `factor` times as large, or `first`. */
function noisier({ level }, first, t, factor) {
  const { alpha, sigma } = level(t);
  let [low, high] = [first, t];
  for (let k = 0; k < BISECTIONS; k++) {
    const middle = 0.5 * (low + high);
    const there = level(middle);
    if (there.sigma * alpha > factor * sigma * there.alpha) low = middle;
    else high = middle;
  }
  return low;
}

/** What DDPM and DDIM share; `portions(now, then, last)` is how much old and new noise there is next. */
function* posterior(process, x0, times, noise, portions) {
  const velocity = new Float32Array(x0.length);
  let x = x0.slice();
  yield { t: times[0], x, nfe: 0 };
  for (let step = 1; step < times.length; step++) {
    const [t, after] = [times[step - 1], times[step]];
    const [now, then] = [process.level(t), process.level(after)];
    process.velocity(x, t, velocity);
    yield null;
    const { data, noise: rest } = splitting(now);
    const [old, fresh] = portions(now, then, step === times.length - 1);
    const ofVelocity = then.alpha * data[0] + old * rest[0];
    const ofPoint = then.alpha * data[1] + old * rest[1];
    const z = fresh > 0 ? noise.step(t, after) : null;
    x = x.map((value, k) => ofVelocity * velocity[k] + ofPoint * value + (z ? fresh * z[k] : 0));
    yield { t: after, x, nfe: step };
  }
}

function ancestral(process, x0, times, noise, { variance }) {
  return posterior(process, x0, times, noise, (now, then, last) => {
    const [least, most] = posteriorVariances(now, then);
    return [kept(now, then) * then.sigma, last ? 0 : most ** (variance / 2) * least ** ((1 - variance) / 2)];
  });
}

function ddim(process, x0, times, noise, { eta }) {
  return posterior(process, x0, times, noise, (now, then) => {
    const spread = eta > 0 ? eta * Math.sqrt(posteriorVariances(now, then)[0]) : 0;
    return [Math.sqrt(Math.max(0, then.sigma ** 2 - spread ** 2)), spread];
  });
}

function* dpmSolver(process, x0, times) {
  const velocity = new Float32Array(x0.length);
  const steps = times.length - 1;
  let [x, before, wayBefore] = [x0.slice(), null, Infinity];
  yield { t: times[0], x, nfe: 0 };
  for (let step = 1; step <= steps; step++) {
    const [t, after] = [times[step - 1], times[step]];
    const [now, then] = [process.level(t), process.level(after)];
    process.velocity(x, t, velocity);
    yield null;
    const {
      data: [ofVelocity, ofPoint],
    } = splitting(now);
    const data = x.map((value, k) => ofVelocity * velocity[k] + ofPoint * value);
    const share = kept(now, then);
    const way = share > 0 ? -Math.log(share) : Infinity;
    const simple = !before || way === Infinity || (step === steps && steps < FEW_STEPS);
    const ahead = simple ? 0 : way / (2 * wayBefore);
    const stays = then.sigma / now.sigma;
    const moves = then.alpha - now.alpha * stays;
    x = x.map((value, k) => stays * value + moves * (data[k] + (ahead ? ahead * (data[k] - before[k]) : 0)));
    [before, wayBefore] = [data, way];
    yield { t: after, x, nfe: step };
  }
}
