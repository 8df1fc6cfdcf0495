/** The numbers of an equation, as the form has them and as its formulas name them. */

/** The numbers among fields, those of a matrix by name_row-column: parameters_of in playground/dynamics/systems/base.py. */
export function numbersOf(fields) {
  const found = {};
  for (const [name, value] of Object.entries(fields)) {
    if (typeof value === "number") found[name] = value;
    else if (Array.isArray(value)) {
      value.forEach((row, i) => row.forEach?.((entry, j) => (found[`${name}_${i + 1}${j + 1}`] = entry)));
    }
  }
  return found;
}

/** The parameters that an equation has for other fields of its system; null where more than numbers has changed. */
export function renumbered({ kind, fields, parameters }, system) {
  const words = (given) =>
    JSON.stringify(
      Object.entries(given)
        .filter(([, value]) => typeof value === "string" || typeof value === "boolean")
        .sort(),
    );
  if (system.kind !== kind || words({ ...fields, kind }) !== words(system)) return null;
  const found = numbersOf(system);
  const names = Object.keys(parameters);
  if (!names.every((name) => Number.isFinite(found[name]))) return null;
  if (fields.axes !== system.axes) return null; // it has more formulas then
  return Object.fromEntries(names.map((name) => [name, found[name]]));
}
