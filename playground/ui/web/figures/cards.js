/** The figures of the picture as cards: a value, and beside it what it is read against. */

import { FLOOR, pathEnergy } from "../scene/against.js";
import { SHARPNESS, about, verdict } from "../scene/sharpness.js";
import { percent, rounded, times } from "../common/numbers.js";

const CARDS = {
  sample_kl: ["Sharpness, KL", SHARPNESS],
  in_class: [
    "In their class",
    "Share of the particles whose nearest real point is of the class that they were asked for.",
  ],
  class_coverage: [
    "Coverage of classes",
    "Share of each class's real points that have a particle of that class as near as their 5th nearest real neighbour, " +
      "among as many of both: diversity. A perfect sample has 97 % of them; guidance above 1 spends them.",
  ],
  class_spread: [
    "Spread of classes",
    "How wide the particles of a class are, beside the exact class: of its Gaussian where it is one, else of its real " +
      "points. 1 is right, less has lost diversity.",
  ],
  energy_distance: [
    "Energy distance",
    "A distance to the target besides sliced W2, from the distances between all pairs of points; the root of units of the data. " +
      FLOOR,
  ],
  w2: [
    "W<sub>2</sub>, exact",
    "The exact 2-Wasserstein distance, by optimal transport; in units of the data. It takes the server a moment, so it " +
      "does not follow the sliders.",
  ],
  modes: ["Modes covered", ""],
  straightness: [
    "Straightness S",
    "How far the velocity strays from each particle's mean velocity, squared, over its whole path: 0 for straight paths " +
      "at constant speed. Always of the solution with 100 Heun steps, whatever the sliders say.",
  ],
  npe: [
    "Path energy, NPE",
    "How far the paths' energy is from the least that carrying the source to the target needs: 0 for optimal transport. Of " +
      "the solution with 100 Heun steps.",
  ],
  cost: [
    "Transport cost",
    "Mean squared distance that a particle is carried, beside the least that carries the source to the target, optimal " +
      "transport's; in squared units of the data. Below 1× the particles do not end where the target is. Of the solution " +
      "with 100 Heun steps.",
  ],
  nll: [
    "NLL",
    "Mean negative log-likelihood of real target points under the model, in nats; the least possible is the target's entropy. " +
      "Points to which the model gives no density at all would make it infinite: they are left out, and their share is told.",
  ],
  held_out: [
    "Held-out loss",
    "The loss of these weights on target points that they were not trained on, beside the same loss on the training points: " +
      "at 1× the model generalises; the further above, the more it memorises. Mean squared error of the velocity, in squared units " +
      "of the data; a nat for models of likelihood.",
  ],
  nearest: ["To nearest training point", ""],
};
/** Only where the network is told classes. */
const OF_CLASSES = ["in_class", "class_coverage", "class_spread"];
const MOST_IN_A_ROW = 9;
/** Only where the training points are limited. */
const LIMITED = ["held_out", "nearest"];

const NEAREST =
  "Mean distance of a particle to the nearest training point, in units of the data, beside the same of real points that " +
  "were held out: about 1× are new points, and near 0× copies.";
const MODES =
  "Modes that hold at least 1 % of the particles. High quality is the share of particles within 3 standard deviations " +
  "of a mode; a perfect sample has 98.9 % of them (99.7 % on a line).";

/** What is said of models that carry a source to a target, and not of equations. */
const TRANSPORTS = ["straightness", "npe", "cost", "nll"];

export class Cards {
  /** `measure` is called when the exact distance is asked for. */
  constructor(root, measure) {
    root.innerHTML = Object.entries(CARDS)
      .map(
        ([name, [label, title]]) => `
        <div class="pg-figure" data-figure="${name}" title="${title}">
          <dt>${label}</dt><dd><b>–</b><small></small></dd>
        </div>`,
      )
      .join("");
    this.root = root;
    this.cards = Object.fromEntries([...root.children].map((card) => [card.dataset.figure, card]));
    this.ask = document.createElement("button");
    Object.assign(this.ask, { type: "button", className: "pg-link", textContent: "measure", onclick: measure });
    this.ask.title = "Measure this run on the server";
    this.values = {}; // of the picture, those that the stage's controls show among them
  }

  /** Shows what is known of the picture and of the run; `server` is the server's measurement, if there is one. */
  show({ scene, picture, distances, fine, reference, training, apart, history, likelihoods }, server) {
    this.values = {};
    const known = picture && scene?.network;
    const lack = known && scene.density ? likelihoods.get(picture.snapshot) : null;
    this.#distances(known ? distances : null, reference, scene, distances?.picture !== picture, lack);
    this.#paths(known ? fine.get(picture.snapshot) : null, reference, training, known?.map || known?.remote);
    for (const name of TRANSPORTS) this.cards[name].hidden = Boolean(scene?.network?.equation);
    if (known) this.values.nfe = picture.trajectory.nfe;
    if (known && Number.isFinite(distances?.sliced_w2)) this.values.sliced_w2 = distances.sliced_w2;
    this.#exact(server, known && !training);
    const past = known && history.kept.at(-1)?.id !== picture.snapshot;
    this.#likelihood(past ? (lack ?? null) : lack, scene, training, past);
    this.#memorised(scene, known ? distances : null, apart, distances?.picture !== picture);
    this.#classes(
      scene?.network?.condition?.kind === "labels",
      known ? distances : null,
      distances?.picture !== picture,
    );
    const count = Object.values(this.cards).filter(({ hidden }) => !hidden).length;
    this.root.style.setProperty("--pg-half", Math.ceil(count / 2)); // two even rows, or one where there is room
    this.root.style.setProperty("--pg-whole", count <= MOST_IN_A_ROW ? count : Math.ceil(count / 2));
  }

  #classes(told, distances, late) {
    for (const name of OF_CLASSES) this.cards[name].hidden = !told;
    if (!told) return;
    const { inClass, highQuality, coverage, spread } = distances?.classes ?? {};
    const good = Number.isFinite(highQuality) ? `${percent(highQuality)} within 3σ of their own mode` : "";
    this.#say("in_class", inClass, good, late);
    this.#say("class_coverage", coverage, Number.isFinite(coverage) ? "0.97 is perfect" : "", late);
    this.#say("class_spread", spread, Number.isFinite(spread) ? "× the exact one" : "", late);
  }

  #sharpness(distances, reference, late, lack) {
    const { sharpness, coverage } = distances ?? {};
    if (!sharpness) {
      this.#say("sample_kl", null, distances ? "not finite" : "", late);
      return;
    }
    const found = { ...sharpness, spread: coverage?.spread, kl: lack?.kl, kl_error: lack?.kl_error };
    const { sample_kl, stray, missed } = reference?.floor ?? {};
    const floor = sample_kl && { sample_kl: sample_kl.value, stray: stray.value, missed: missed.value };
    const unit = floor ? ` · floor ±${rounded(floor.sample_kl)}` : "";
    this.#say("sample_kl", found.sample_kl, `nats · ${verdict(found, floor) || "…"}${unit}`, late);
    this.cards.sample_kl.title = SHARPNESS + about(found, floor);
    Object.assign(this.values, { stray: found.stray, missed: found.missed });
    if (Number.isFinite(found.spread)) this.values.spread = found.spread;
  }

  #distances(distances, reference, scene, late, lack) {
    this.#sharpness(distances, reference, late, lack);
    const floor = reference?.floor?.energy_distance?.value;
    const value = distances?.energy_distance;
    this.#say("energy_distance", value, value === null ? "not finite" : times(value, floor, "floor"), late);
    const covered = distances?.coverage;
    if (!scene?.modes) {
      this.#say("modes", null, scene ? "no separate modes" : "");
      this.cards.modes.title = "This target is not made of separate modes, so there are none to count.";
      return;
    }
    this.#say(
      "modes",
      covered?.strict,
      covered ? `of ${covered.total} · ${percent(covered.highQuality)} good` : "",
      late,
    );
    const lenient = covered ? ` Modes with at least one good particle: ${covered.covered} of ${covered.total}.` : "";
    this.cards.modes.title = MODES + lenient;
    if (covered) this.values.high_quality = covered.highQuality;
  }

  #paths(fine, { optimal_cost: optimal } = {}, training, fieldless = false) {
    const text = fieldless ? "needs a velocity" : fine === undefined ? (training ? "after training" : "…") : "";
    this.#say("straightness", fine?.straightness, text || (fine ? "0 is straight" : ""));
    this.#say("npe", fine ? pathEnergy(fine.energy, optimal) : null, text || (fine ? "0 is optimal" : ""));
    const { value, error } = optimal ?? {};
    const short = fine?.cost < value - 3 * error ? " · misses some of the target" : "";
    this.#say("cost", fine?.cost, text || times(fine?.cost, value, "optimal") + short);
    const least = optimal
      ? ` The least is estimated: ${value ? `${rounded(value)} ± ${rounded(error)}` : `below ${rounded(3 * error)}`}.`
      : "";
    this.cards.cost.title = CARDS.cost[1] + least;
  }

  #memorised(scene, distances, apart, late) {
    for (const name of LIMITED) this.cards[name].hidden = !scene?.training;
    if (!scene?.training) return;
    const [learnt, other] = apart ?? [];
    this.#say("held_out", other, times(other, learnt, "training"));
    if (Number.isFinite(learnt)) this.values.training_loss = learnt;
    const { nearest, copied, floor } = distances?.memorised ?? {};
    this.#say("nearest", nearest, times(nearest, floor?.nearest, "held-out"), late);
    const copies = floor
      ? ` ${percent(copied)} are copies, a third as far from one training point as from any other; of held-out points ${percent(floor.copied)} are.`
      : "";
    this.cards.nearest.title = NEAREST + copies;
    if (floor) this.values.copied = copied;
  }

  #likelihood(found, scene, training, past) {
    if (found === undefined || found === null) {
      const soon = training ? "after training" : past ? "of the newest weights" : found === undefined ? "…" : "";
      const waits = scene?.density && scene.network ? soon : "";
      return this.#say("nll", null, scene?.network && !scene.density ? "density not known" : waits);
    }
    const { nll, nll_outside: outside, kl, kl_error, entropy } = found;
    const least = entropy === null ? "nats" : `nats · entropy ${rounded(entropy)}`;
    const beside = Number.isFinite(kl) ? `nats · KL ${rounded(kl)} ± ${rounded(kl_error)}` : least;
    this.cards.nll.title = CARDS.nll[1] + (entropy === null ? "" : ` Here it is ${rounded(entropy)}.`);
    if (Number.isFinite(kl)) this.values.kl = kl;
    this.#say("nll", nll, outside > 0 ? `${beside} · ${percent(outside)} outside` : beside);
  }

  #exact(server, possible) {
    const note = this.cards.w2.querySelector("small");
    const [nfe, measured] = Object.entries(server?.by_nfe ?? {}).at(-1) ?? [];
    if (measured) {
      const by = Object.keys(server.by_nfe).length > 1 ? `${nfe} Euler steps` : `${nfe} evaluations`;
      this.#say("w2", measured.w2, [times(measured.w2, server.floor.w2, "floor"), by].filter(Boolean).join(" · "));
      this.cards.w2.title = `${CARDS.w2[1]} Of the newest weights, with ${by} and ${server.points} points.`;
      return;
    }
    this.#say("w2", null, possible ? null : "");
    if (possible && note.firstChild !== this.ask) note.replaceChildren(this.ask);
  }

  /** A value and a note; a `late` one belongs to the picture before, and is drawn fainter until its own comes. */
  #say(name, value, note, late = false) {
    const [number, small] = this.cards[name].querySelectorAll("b, small");
    const text = Number.isFinite(value) ? rounded(value).replace("-", "−") : "–";
    if (number.textContent !== text) number.textContent = text;
    if (note !== null && small.textContent !== note) small.textContent = note;
    this.cards[name].classList.toggle("pg-late", late && text !== "–");
    if (Number.isFinite(value)) this.values[name] = value;
  }
}
