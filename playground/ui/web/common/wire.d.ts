// The messages between the server and the page, for the type checker alone.
// Written by `python -m tools.wire` from playground/ui/wire.py; change that instead.

/** An array of float32, row-major: base64 of little-endian numbers. */
export interface ExactArray {
  shape: number[];
  f32: string;
}

/** An array (..., d) in 16 bits a number: x = low + u / 65535 (high − low) for each index of the last axis. */
export interface QuantisedArray {
  shape: number[];
  u16: string;
  low: number[];
  high: number[];
}

/** Numbers in float16: base64, little-endian. */
export interface Halves {
  f16: string;
}

/** An affine map; its weights are the matrix (out, in), row-major, and then the bias. */
export interface Linear {
  op: "linear";
  in: number;
  out: number;
}

/** A function of each number by itself. */
export interface Activation {
  op: string;
}

/** The two maps by which time and condition scale and shift the hidden layers; their weights come first. */
export interface Film {
  in: number;
  embedding: number;
  activation: string;
}

/**
 * A network as a list of operations on its flat weights.
 *
 * waves: the frequencies of the Fourier features that it sees below each of its inputs, one row a wave.
 */
export interface NetworkOps {
  ops: (Linear | Activation)[];
  size: number;
  film?: Film;
  waves?: number[][];
}

/** Mean and deviation along each axis, (x − mean) / std is what a network sees or says. */
export interface Scale {
  mean: number[];
  std: number[];
}

/** How a field's network is scaled, and the moments of source and target. */
export interface Scaling {
  kind: string;
  mean0: number[];
  mean1: number[];
  std0: number;
  std1: number;
}

/** A path's coefficients and their derivatives at the times t; timesteps where it has that many of its own. */
export interface PathTable {
  t: number[];
  alpha: number[];
  sigma: number[];
  gamma: number[];
  d_alpha: number[];
  d_sigma: number[];
  d_gamma: number[];
  timesteps?: number;
}

/** A path as the browser reads it; start is the factor of x0 at t_min, mismatch a sentence where it misses x0. */
export interface PathDescription {
  kind: string;
  label: string;
  about: string;
  mismatch: string | null;
  t_min: number;
  t_max: number;
  start: number;
  table: PathTable;
}

/** How the columns of a condition are made. */
export interface ConditionDescription {
  kind: "labels" | "angle";
  width: number;
  guidable: boolean;
  classes?: number;
  harmonics?: number;
}

/**
 * A network that carries a latent to a sample in one call.
 *
 * noise names the weights that are the deviation of its own noise along each axis.
 */
export interface MapDescription {
  network: string;
  latent: number;
  dim: number;
  inside: Scale;
  outside: Scale;
  kind?: string;
  truncation?: number | null;
  noise?: string;
}

/** A network that carries a sample to its latent. */
export interface EncoderDescription {
  network: string;
  latent: number;
  inside: Scale;
}

/** A network with one output that is drawn over the data's space: a critic or an energy. */
export interface SurfaceDescription {
  network: string;
  label: string;
  inside: Scale;
  of: string;
  middle?: number | null;
  bowl?: number;
}

/** Gaussians: centers (k, d), covariances (k, d, d) and weights (k,). */
export interface Mixture {
  centers: ExactArray;
  covariances: ExactArray;
  weights: number[];
}

/** A Gaussian's mean (d,) and covariance (d, d). */
export interface Normal {
  mean: number[];
  covariance: number[][];
}

/** A box of equal cells and the density of the source on it, the last axis fastest. */
export interface LatticeDescription {
  low: number[];
  high: number[];
  cells: number[];
  density: ExactArray;
}

/**
 * A system of equations; each list of trees has one an axis, or none where there is nothing to say.
 *
 * drift and stratonovich: the drift in either sense; noise: its factors, and slopes their derivatives along their own
 * axes; flux: the velocity of the Fokker–Planck equation; jacobian: row after row; solution and law: the closed forms.
 * parameters: the numbers that the names stand for, T among them. linear: f = A x + b; fields: the system as the form
 * has it; lattice: with noise, where the Fokker–Planck equation is solved.
 */
export interface EquationDescription {
  kind: string;
  label: string;
  linear: boolean;
  fields: Record<string, any>;
  lattice?: LatticeDescription;
  drift: (number | string | any[])[];
  stratonovich: (number | string | any[])[];
  noise: (number | string | any[])[];
  slopes: (number | string | any[])[];
  flux: (number | string | any[])[];
  jacobian: (number | string | any[])[];
  solution: (number | string | any[])[];
  law: (number | string | any[])[];
  parameters: Record<string, number>;
  T: number;
}

/** A run and a round as the server knows them. */
export interface Origin {
  run: string;
  round: number;
}

/**
 * How a round's weights are evaluated; what a model does not have is left out.
 *
 * remote: the server has to be asked for trajectories, by solver and steps where `sampled`; carries: also of a grid.
 * networks: by the names under which the weights come. mixture and source: an exact field in place of a network;
 * equation: what is followed instead.
 */
export interface Reading {
  dim?: number;
  remote?: boolean;
  sampled?: boolean;
  carries?: boolean;
  networks?: Record<string, NetworkOps>;
  frequencies?: number;
  prediction?: string;
  scaling?: Scaling;
  samplers?: string[];
  path?: PathDescription;
  condition?: ConditionDescription;
  map?: MapDescription;
  encoder?: EncoderDescription;
  surfaces?: Record<string, SurfaceDescription>;
  mixture?: Mixture;
  source?: Normal;
  equation?: EquationDescription;
}

/**
 * A finished trajectory: x (T, n, d) at times t from 0 to 1, which stand for `ends` on the axis that is named.
 *
 * nfe: network evaluations; broken: what followed was not finite; acceptance: of a chain; ms: what it took.
 */
export interface WireTrajectory {
  t: number[];
  x: QuantisedArray;
  nfe: number;
  axis: string;
  ends: [number, number];
  broken: boolean;
  acceptance: number | null;
  ms: number;
}

/** The square that shows a scene: its centre and half its side. */
export interface WireView {
  center: number[];
  half: number;
}

/** The modes of a target: centers (k, d), std (k,) and weights (k,). */
export interface WireModes {
  centers: number[][];
  std: number[];
  weights: number[];
}

/** What one real sample has against another: the distance, and what `metrics.sharpness` finds. */
export interface SceneFloor {
  sliced_w2: number | null;
  sample_kl: number | null;
  stray: number | null;
  missed: number | null;
}

/** How a scene is sampled first; the dials of a solver stand beside it. */
export interface SceneSampler {
  solver: string;
  steps: number;
  grid: string;
  guidance: number;
  guidance_from: number;
  guidance_to: number;
  autoguidance: number;
  guide: number;
  rtol?: number;
  atol?: number;
  churn?: number;
  eta?: number;
  s_churn?: number;
  variance?: number;
}

/** The condition of each particle and of each target point. */
export interface SceneCondition {
  kind: "labels" | "angle";
  width: number;
  guidable: boolean;
  classes?: number;
  harmonics?: number;
  values: ExactArray;
  target: ExactArray;
}

/** An experiment in a few words: what learns, between what, from which seed. */
export interface Summary {
  model: string;
  between: string;
  seed: number;
}

/**
 * What the stage knows of a run before its weights; snapshots name the same run.
 *
 * x0, latent: the starts (n, d), and (n, k) in a latent; target, training: points of the data. between and setting:
 * the parts of the experiment that later questions name. network: how to read the weights, null before there are any.
 */
export interface Scene {
  run: string;
  experiment: Record<string, any>;
  summary: Summary;
  dim: number;
  x0: ExactArray;
  latent: ExactArray | null;
  target: QuantisedArray;
  training: QuantisedArray | null;
  floor: SceneFloor;
  modes: WireModes | null;
  between: Record<string, any>;
  setting: Record<string, any>;
  remarks: string[];
  loss: string;
  coupling: string | null;
  no_exact: string | null;
  density: "time" | "end" | null;
  path: PathDescription | null;
  has_path: boolean;
  source_label: string;
  target_label: string;
  view: WireView;
  sampler: SceneSampler;
  condition: SceneCondition | null;
  network: Reading | null;
}

/** A Gaussian: its centre, the root of its covariance, and its share of the probability. */
export interface Ellipse {
  center: number[];
  root: number[][];
  share: number;
}

/** A hidden unit: on where normal · x + offset > 0, and then it pulls points by pull. */
export interface HiddenLine {
  normal: number[];
  offset: number;
  pull: number[];
}

/** The parts of a model that are drawn; normaliser is the logarithm of one that was learnt. */
export interface WireShapes {
  normaliser: number | null;
  ellipses: Ellipse[];
  lines: HiddenLine[];
}

/**
 * One moment of a training.
 *
 * rate: steps a second; left: seconds; loss: [step, loss] pairs since the last one; apart: the loss on training points
 * and on held-out ones, where there are few of the first. weights: each network's, base64 of float32, or halves.
 * network comes with the first of a further round.
 */
export interface WireSnapshot {
  run: string;
  id: number;
  round: number;
  phase: number;
  step: number;
  steps: number;
  seconds: number;
  rate: number | null;
  left: number | null;
  loss: [number, number][];
  apart: [number, number] | null;
  done: boolean;
  name: string;
  prepared?: number;
  remark?: string;
  network?: Reading;
  shapes?: WireShapes;
  weights?: Record<string, string | Halves>;
  trajectory?: WireTrajectory;
}

/** A finished run in one message. */
export interface Opening {
  scene: Scene;
  snapshots: WireSnapshot[];
}

/** What is wrong with an experiment: the path of the field, and a sentence. */
export interface WireProblem {
  path: (string | number)[];
  sentence: string;
}

/** What a button of the Studio says: the page's key, a counter and the form's experiment. */
export interface StageRequest {
  page: string;
  turn: number;
  experiment: Record<string, any>;
}

/** The run that a page shows from now on; turn: as of the form's requests. */
export interface ShownRequest {
  page: string;
  run: string;
  turn: number;
}

/** Whether the server can train it on. */
export interface ShownAnswer {
  kept: boolean;
}

/** The newest snapshot of a round, which the server may have forgotten. */
export interface ReturnedRound {
  name: string;
  snapshot: number;
  step: number;
  seconds: number;
  weights: Record<string, string | Halves>;
}

/** A run from a browser that has outlived it on the server. */
export interface ReturnedRequest {
  page: string;
  experiment: Record<string, any>;
  rounds: ReturnedRound[];
}

/** Its name from now on. */
export interface ReturnedAnswer {
  run: string;
}

/** One of several stages of a tab. */
export interface Panel {
  key: string;
  title: string;
  scene: Scene;
}

/** The panels of a contest, once, at its beginning. */
export interface ContestScene {
  contest: string;
  panels: Panel[];
}

/** A snapshot of one entrant, and what it has been charged so far, in seconds or steps. */
export interface Shot {
  key: string;
  charged: number;
  shot: WireSnapshot;
}

/** The newest snapshots of a contest; of_presets: they go on from the presets that the page shows. */
export interface ContestShots {
  contest: string;
  of_presets: boolean;
  stopped: boolean;
  shots: Shot[];
}

/** The modes that one training from one seed reached; null where the target has none. */
export interface SeedRow {
  key: string;
  seed: number;
  strict: number | null;
  covered: number | null;
  total?: number;
  high_quality: number | null;
  spread: number | null;
  kl: number | null;
  failure: string | null;
}

/** The training that is under way, and how much of it is done. */
export interface SeedAt {
  key: string;
  seed: number;
  share: number;
}

/** Many seeds: so many trainings in all, the share that is done, and what is finished. */
export interface SeedsProgress {
  all: number;
  share: number;
  seconds: number;
  at: SeedAt | null;
  ended: "stopped" | "done" | null;
  rows: SeedRow[];
}

/** How far the seeds of a contest have come. */
export interface ContestSeeds {
  contest: string;
  seeds: SeedsProgress;
}

/** A request that is not valid (status 400 or 413). */
export interface Refused {
  message: string;
  problems?: WireProblem[];
}

/** No room now: ask again, unless it is `past`, when what was asked about has gone. */
export interface BusyAnswer {
  busy: true;
  past: boolean;
  message: string;
}

/** An experiment as YAML and as a link. */
export interface Written {
  yaml: string;
  link: string;
}

/** An experiment that was read from YAML or a link. */
export interface ReadBack {
  experiment: Record<string, any>;
}

/** An alternative of a field that the rest of the experiment does not allow: a kind, an option, or null. */
export interface RefusedValue {
  value: any;
  sentence: string;
}

/** What a training step takes; see models.base.StepCost. */
export interface WireStepCost {
  overhead: number;
  passes: number;
}

/** What a training would take: weights in all, rounds, and a step's cost where there are steps. */
export interface WireCost {
  weights: number;
  rounds: number;
  step: WireStepCost | null;
}

/** By dotted path of a field what is refused there; and the cost, null for an experiment that is not valid. */
export interface Alternatives {
  refused: Record<string, RefusedValue[]>;
  cost: WireCost | null;
}

/** A coupling's figures in squared units of the data; see dynamics.coupling_figures. */
export interface PairedCoupling {
  kind: string;
  label: string;
  together: number | null;
  chosen: boolean;
  cost: number;
  variance: number;
  class_shift: number | null;
}

/** For each start point the row of the real point that it is paired with, and the figures of couplings. */
export interface Pairing {
  points: number;
  classes: number;
  partners: number[];
  couplings: PairedCoupling[];
}

/** An exact field: what stands for the target, and whether that is a few points. */
export interface ExactAnswer {
  network: Reading | null;
  target: string;
  few: boolean;
}

/** Log-densities (rows, columns) at t, upwards; in one dimension over all times, without t. */
export interface DensitySurface {
  values: ExactArray;
  t?: number;
}

/** What a density makes of real points, see engine.evaluation.likelihood, and the target's entropy, in nats. */
export interface Likelihood {
  nll: number | null;
  nll_outside: number | null;
  nll_unsolved: number | null;
  kl: number | null;
  kl_error: number | null;
  entropy: number | null;
  points: number;
}

/** Log-densities along the way of a probe; null where there is none. */
export interface Way {
  t: number[];
  log: (number | null)[];
}

/** The ways of the last few probes. */
export interface Ways {
  ways: Way[];
}

/** A root mean square, and the range of what it was taken over. */
export interface Spread {
  value: number;
  low: number;
  high: number;
}

/** A floor at fewer points. */
export interface FewerFloor {
  points: number;
  sliced_w2: Spread | null;
}

/** The least that transport costs, and the error of that figure; null where it is not known. */
export interface LeastCost {
  value: number | null;
  error: number | null;
}

/** What the figures of a source and a target are read against. */
export interface Reference {
  points: number;
  floor: Record<string, Spread | null>;
  fewer: FewerFloor;
  optimal_cost: LeastCost;
  entropy: number | null;
}

export type WireArray = ExactArray | QuantisedArray;

export type Tree = number | string | any[];
