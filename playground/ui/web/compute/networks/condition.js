/* What a network is told besides the time: the twin of playground/models/condition.py.

   A condition is described by {kind: "labels", classes} or {kind: "angle", harmonics}, with its width in columns and
   whether it is guidable. Its values are labels, or angles in radians; none at all is the null condition. */

/** On the stage an angle stands for the nearest of so many directions, since each is a block of its own. */
export const AROUND = 24;

/** A chosen value as the network knows it: a label, or degrees as radians. */
export function valueOf({ kind }, chosen) {
  return Math.fround(kind === "labels" ? chosen : (((chosen + 180) % 360) - 180) * (Math.PI / 180));
}

/** The columns that the network is told of a value, null for the null condition. */
export function columnsOf({ kind, classes, harmonics }, value) {
  if (kind === "labels") {
    const columns = new Array(classes + 1).fill(0);
    columns[value ?? classes] = 1;
    return columns;
  }
  if (value === null) return new Array(1 + 2 * harmonics).fill(0);
  const angles = Array.from({ length: harmonics }, (_, k) => Math.fround(value) * (k + 1));
  return [1, ...angles.map(Math.cos), ...angles.map(Math.sin)];
}

/** Particles under one condition together, since what a network is told is the same for a whole block of them:
    [{value, columns, index}], index null for all particles. `told` has a value for each, one for all, or is null. */
export function groupsOf(condition, told) {
  if (!condition) return [{ value: null, columns: [], index: null }];
  if (!told?.length) return [{ value: null, columns: columnsOf(condition, null), index: null }];
  if (told.length === 1) return [{ value: told[0], columns: columnsOf(condition, told[0]), index: null }];
  const members = new Map();
  told.forEach((value, i) => (members.has(value) ? members.get(value).push(i) : members.set(value, [i])));
  return Array.from(members, ([value, index]) => ({ value, columns: columnsOf(condition, value), index }));
}

/** The passes {value, columns, index, weight} over the particles whose weighted sum is v∅ + w (v_c − v∅), and how many
    evaluations of each particle they are. */
export function passesOf(condition, told, guidance) {
  const weighted = (of, weight) => groupsOf(condition, of).map((group) => ({ ...group, weight }));
  if (!condition || !told?.length) return { passes: weighted(null, 1), calls: 1 };
  const passes = [
    ...(guidance === 1 ? [] : weighted(null, 1 - guidance)),
    ...(guidance === 0 ? [] : weighted(told, guidance)),
  ];
  return { passes, calls: guidance === 0 || guidance === 1 ? 1 : 2 };
}

/** A share of the particles' values; one value, or none, is for all of them. */
export function shareOf(told, from, to) {
  return told?.length > 1 ? told.slice(from, to) : (told?.slice() ?? null);
}

/** The points (n·dim values) whose own value is this one. */
export function pointsUnder(points, dim, values, value) {
  const chosen = [];
  values.forEach((own, i) => {
    if (Math.abs(own - value) < 1e-5) for (let j = 0; j < dim; j++) chosen.push(points[i * dim + j]);
  });
  return Float32Array.from(chosen);
}
