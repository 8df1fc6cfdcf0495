/* Samplers of diffusions: what can be done with a velocity field when its path and its score are known as well.

   The twin of playground/dynamics/samplers.py, where the methods are explained. A sampler is a generator
       function* (process, x0, times, noise, dials) → yields {t, x, nfe}, and null after each evaluation
   with process {velocity(x, t, into), score(x, t, into)?, level(t) → {alpha, sigma, gamma, dAlpha, dSigma}, bridge} and
   noise a Brownian (noise.js). */

import { eulerMaruyama, stochasticHeun, stochasticMidpoint } from "./churned.js";
import { noiseRatio, splitting } from "./levels.js";

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

/** By name: what it is called, its dial, evaluations a step, whether it may add noise, whether it follows bridges; and
    what has to be known of what it draws. */
export const SAMPLERS = {
  euler_maruyama: {
    label: "Euler–Maruyama",
    dial: "churn",
    cost: 1,
    noisy: true,
    bridges: true,
    solve: eulerMaruyama,
    bias: "First order: modes of width 0.1 come out 0.08 wide in 100 steps at a churn of 1. Stochastic midpoint keeps them.",
  },
  stochastic_midpoint: {
    label: "Stochastic midpoint",
    dial: "churn",
    cost: 2,
    noisy: true,
    bridges: true,
    solve: stochasticMidpoint,
  },
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

/** [β̃, β]. */
function posteriorVariances(now, then) {
  const beta = now.sigma ** 2 - ((now.alpha / then.alpha) * then.sigma) ** 2;
  return [(then.sigma / now.sigma) ** 2 * beta, beta];
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
    return [noiseRatio(now, then) * then.sigma, last ? 0 : most ** (variance / 2) * least ** ((1 - variance) / 2)];
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
  let [x, before, wayBefore] = [x0.slice(), null, Infinity];
  yield { t: times[0], x, nfe: 0 };
  for (let step = 1; step < times.length; step++) {
    const [t, after] = [times[step - 1], times[step]];
    const [now, then] = [process.level(t), process.level(after)];
    process.velocity(x, t, velocity);
    yield null;
    const {
      data: [ofVelocity, ofPoint],
    } = splitting(now);
    const data = x.map((value, k) => ofVelocity * velocity[k] + ofPoint * value);
    const share = noiseRatio(now, then);
    const way = share > 0 ? -Math.log(share) : Infinity;
    const ahead = before && wayBefore < Infinity ? 0.5 * Math.min(1, way / wayBefore) : 0;
    const stays = then.sigma / now.sigma;
    const moves = then.alpha - now.alpha * stays;
    x = x.map((value, k) => stays * value + moves * (data[k] + (ahead ? ahead * (data[k] - before[k]) : 0)));
    [before, wayBefore] = [data, way];
    yield { t: after, x, nfe: step };
  }
}
