/* Mode collapse over time, the twin of playground/metrics/collapse.py: which mode is alive, the KL of the modes' shares,
   and a verdict. A look is {step, total, covered, strict, highQuality, shares} (see `coverage` in metrics.js). */

/** The share of a sample from which on a mode is alive. */
const ALIVE = 0.01;
/** The share of the modes that were held before from which down it has collapsed. */
const FEW = 0.5;
/** The share of high-quality points from which on a sample holds modes; a smear along a ring of eight has .4. */
const GOOD = 0.5;

export function alive(shares) {
  return shares.map((share) => share > 0 && share >= ALIVE * (1 - 1e-12));
}

/** KL(q ‖ p) in nats of the modes' shares among the good points from their weights; null where no point is good. */
export function modeKL(shares, weights) {
  const whole = shares.reduce((a, b) => a + b, 0);
  if (!whole) return null;
  return shares.reduce(
    (sum, share, k) => (share ? sum + (share / whole) * Math.log(share / whole / weights[k]) : sum),
    0,
  );
}

/** How many modes a look holds: those alive, where enough of its points are good; a smear across modes holds none. */
export function held({ highQuality, shares }) {
  return highQuality >= GOOD ? alive(shares).filter(Boolean).length : 0;
}

/** The first collapse in looks in order of training, {step, alive, before}, or null. */
export function alarm(looks) {
  let most = 0;
  let first = null;
  for (const look of looks) {
    const { step, total, shares } = look;
    const count = alive(shares).filter(Boolean).length;
    if (total < 2 || most <= FEW * total || count > FEW * most) first = null;
    else if (first) return first;
    else first = { step, alive: count, before: most };
    most = Math.max(most, held(look));
  }
  return null;
}

/** What looks in order of training come to, {kind, last, most, different} as in Python, or null. */
export function course(looks) {
  const final = looks.at(-1);
  if (!final || final.total < 2) return null;
  const counts = looks.map(held);
  const [last, most] = [counts.at(-1), Math.max(...counts)];
  const good = looks.filter((_, at) => counts[at]).map(({ shares }) => alive(shares));
  const different = final.shares.filter((_, k) => good.some((lives) => lives[k])).length;
  const kind = alarm(looks)
    ? last > FEW * most
      ? "recovered"
      : "fell"
    : final.highQuality < GOOD
      ? "smear"
      : most <= FEW * final.total
        ? "few"
        : last === final.total
          ? "all"
          : "some";
  return { kind, last, most, different };
}

/** The same in a sentence, which is true of every run, one that holds no mode among them; "" where nothing is known. */
export function verdict(looks) {
  const found = course(looks);
  if (!found) return "";
  const { kind, last, most, different } = found;
  const { step, total, highQuality } = looks.at(-1);
  const of = (count) => `${count || "none"} of ${total} modes`;
  const at = (number) => `step ${number.toLocaleString("en")}`;
  if (kind === "fell" || kind === "recovered") {
    const fall = alarm(looks);
    const fell = `Collapsed at ${at(fall.step)}: ${of(fall.alive)} alive, after ${fall.before}`;
    return kind === "fell" ? `${fell}.` : `${fell}. It recovered: ${of(last)} held at ${at(step)}.`;
  }
  if (kind === "smear") {
    const before = most ? `At most ${of(most)} were held before.` : "No mode was ever held.";
    return `Off the modes at ${at(step)}: only ${(100 * highQuality).toFixed(0)} % of the points lie on one. ${before}`;
  }
  if (kind === "few") {
    const moved = different > most ? `, though ${different} different ones in turn: it moves between modes` : "";
    return `Never held more than ${of(most)}${most === 1 ? "" : " at once"}${moved}.`;
  }
  const whole = kind === "all" ? `All ${total} modes` : of(last);
  return `${whole[0].toUpperCase()}${whole.slice(1)} held at ${at(step)}; no collapse before it.`;
}
