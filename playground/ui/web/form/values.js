// The form's values as plain JSON: defaults, bounds, text and back. No document here.
//
// A field that cannot be read (letters where a number belongs) keeps its text as its value, so that undo, a
// reload and the server all see what was typed. The sentences are those of playground/choice.py.

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
const NOT_FINITE = /^[+-]?(nan|inf|infinity)$/i;

export const equal = (a, b) => a === b || JSON.stringify(a) === JSON.stringify(b);
export const kindOf = (field, kind) => field.kinds.find((each) => each.kind === kind);
const isObject = (value) => value !== null && typeof value === "object" && !Array.isArray(value);

/** `value` with everything that it leaves out filled in, and nothing that the field does not have. */
export function complete(field, value) {
  if (field.type !== "group" && field.type !== "union") {
    return structuredClone(value === undefined ? (field.default ?? null) : value);
  }
  if (value === null && field.optional) return null;
  if (field.type === "union" && typeof value === "string") value = { kind: value };
  if (!isObject(value)) {
    if (field.default === null && field.optional) return null;
    value = field.default ?? {};
    if (field.type === "union" && typeof value === "string") value = { kind: value };
  }
  if (field.type === "group") return filled(field.fields, value);
  const kind = value.kind ?? field.kinds[0].kind;
  return { kind, ...filled(kindOf(field, kind)?.fields ?? [], value) };
}

const filled = (fields, value) =>
  Object.fromEntries(fields.map((field) => [field.name, complete(field, value[field.name])]));

/** The fields below `field` while it has this value: a union's are those of its kind. */
export function fieldsIn(field, value) {
  if (field.type === "union") return kindOf(field, value?.kind)?.fields ?? [];
  return field.fields ?? [];
}

export const get = (value, path) => path.reduce((inner, name) => inner?.[name], value);

/** A copy of `value` with `part` at `path`; what is not on the path is shared. */
export function put(value, [name, ...rest], part) {
  return name === undefined ? part : { ...value, [name]: put(value?.[name], rest, part) };
}

/** What stands at `path` when nothing was changed, as long as the kinds above it are those of `value`. */
export function standardAt(field, value, path) {
  let standard = complete(field, undefined);
  for (const name of path) {
    if (standard === null || (field.type === "union" && standard.kind !== value?.kind)) {
      standard = complete(field, { kind: value?.kind });
    }
    field = fieldsIn(field, value).find((each) => each.name === name);
    if (!field) return undefined;
    [standard, value] = [standard[name], value?.[name]];
  }
  return standard;
}

/** The value of a union after its kind is changed: groups that both kinds have stay as they were set. */
export function switched(field, value, kind, base) {
  const next = complete(field, base ?? { kind });
  const before = fieldsIn(field, value);
  for (const part of kindOf(field, kind).fields) {
    const twin = before.find((each) => each.name === part.name && each.type === part.type);
    const shape = (each) => each.kinds ?? each.fields;
    if (!twin || !shape(part) || !equal(shape(twin), shape(part))) continue;
    if (!equal(value[part.name], complete(twin, undefined))) next[part.name] = value[part.name];
  }
  return next;
}

/** Every problem in `value`: [{path, sentence}]. */
export function problemsIn(field, value, path = []) {
  const sentence = sentenceOf(field, value);
  const own = sentence === null ? [] : [{ path, sentence }];
  if (value === null) return own;
  const below = fieldsIn(field, value).flatMap((each) => problemsIn(each, value[each.name], [...path, each.name]));
  return [...own, ...below];
}

/** What is wrong with the value of this field itself, or null. */
export function sentenceOf(field, value) {
  if (field.type === "hidden") return null;
  if (value === null || value === undefined || (value === "" && field.type !== "text")) {
    return field.optional ? null : "this is missing.";
  }
  switch (field.type) {
    case "int":
    case "float":
      return numberSentence(field, value);
    case "bool":
      return typeof value === "boolean" ? null : `${repr(value)} is neither true nor false.`;
    case "choice":
      return field.options.some((option) => option.value === value)
        ? null
        : `${repr(value)} is not one of ${listed(field.options.map((option) => repr(option.value)))}.`;
    case "union": {
      const kinds = field.kinds.map((each) => repr(each.kind)).join(", ");
      return kindOf(field, value.kind) ? null : `there is no kind ${repr(value.kind)}; choose one of ${kinds}.`;
    }
    case "text":
      if (value.length < (field.min_length ?? 0)) return `give at least ${field.min_length} characters.`;
      if (value.length > (field.max_length ?? Infinity)) return `give at most ${field.max_length} characters.`;
      return null;
    case "drawing":
      return Array.isArray(value) && value.length ? null : "the drawing is empty; draw a stroke, or at least a dot.";
    case "vector":
      return Array.isArray(value)
        ? (lengthSentence(field, value, "values") ?? firstSentence(field.item, value))
        : `${repr(value)} is not a list of numbers; write numbers separated by commas.`;
    case "matrix":
      return Array.isArray(value)
        ? matrixSentence(field, value)
        : `${repr(value)} is not a table of numbers; write numbers separated by commas, one row a line.`;
    default:
      return null;
  }
}

function numberSentence(field, value) {
  const whole = field.type === "int";
  if (typeof value !== "number") {
    const finite = whole || !NOT_FINITE.test(value);
    return `${repr(value)} is not a ${finite ? (whole ? "whole number" : "number") : "finite number"}.`;
  }
  if (!Number.isFinite(value)) return `${repr(value)} is not a finite number.`;
  if (whole && !Number.isInteger(value)) return `${repr(value)} is not a whole number.`;
  const { minimum: low = -Infinity, maximum: high = Infinity } = field;
  const { exclusive_minimum: over, exclusive_maximum: under } = field;
  if (value < low || (over && value === low)) {
    return `${repr(value)} is too small; choose ${over ? "more than" : "at least"} ${general(low)}.`;
  }
  if (value > high || (under && value === high)) {
    return `${repr(value)} is too large; choose ${under ? "less than" : "at most"} ${general(high)}.`;
  }
  return null;
}

function lengthSentence({ min_length: low = 0, max_length: high = Infinity }, value, what) {
  if (value.length < low) return `give at least ${low} ${what}.`;
  return value.length > high ? `give at most ${high} ${what}.` : null;
}

function firstSentence(item, values) {
  for (const value of values) {
    const sentence = numberSentence(item, value);
    if (sentence) return sentence;
  }
  return null;
}

function matrixSentence(field, rows) {
  const wrong = lengthSentence(field, rows, "rows");
  if (wrong) return wrong;
  for (const [index, row] of rows.entries()) {
    const sentence = lengthSentence(field.columns, row, "values") ?? firstSentence(field.item, row);
    if (sentence) return `in row ${index + 1}: ${sentence}`;
    if (row.length !== rows[0].length) {
      return `row 1 is ${rows[0].length} long and row ${index + 1} is ${row.length} long; make them the same.`;
    }
  }
  return null;
}

/** The value that `text` stands for; the text itself where it cannot be read. */
export function parse(field, text) {
  const trimmed = text.trim().replaceAll("−", "-");
  if (field.type === "text") return text === "" && field.optional ? null : text;
  if (trimmed === "") return field.optional ? null : field.type === "vector" || field.type === "matrix" ? [] : "";
  if (field.type === "vector") return numbers(trimmed) ?? text;
  if (field.type !== "matrix") return number(field, trimmed) ?? text;
  const rows = trimmed
    .split(/[;\n]/)
    .filter((row) => row.trim() !== "")
    .map(numbers);
  return rows.includes(null) ? text : rows;
}

/** One number, also with a decimal comma, or a whole one in groups of three; null where it is none, or either. */
function number({ type }, text) {
  if (NUMBER.test(text)) return Number(text);
  if (type === "int" && /^[+-]?\d{1,3}(,\d{3})+$/.test(text)) return Number(text.replaceAll(",", ""));
  const decimal = /^[+-]?\d*,\d+$/.test(text) && !/^[+-]?[1-9]\d{0,2},\d{3}$/.test(text); // 1,000 could be either
  return decimal ? Number(text.replace(",", ".")) : null;
}

/** What is said of a vector's text that may have been meant as one number with a decimal comma; null of others. */
export function misread(text) {
  const [, whole, part] = /^\s*([+−-]?\d+),(\d+)\s*$/.exec(text) ?? [];
  return whole === undefined
    ? null
    : `Read as two numbers, ${whole} and ${part}. For one number write ${whole}.${part}.`;
}

function numbers(text) {
  const bare = text
    .trim()
    .replace(/^[[(]|[\])]$/g, "")
    .trim()
    .replace(/,$/, "");
  const parts = bare.split(bare.includes(",") ? "," : /\s+/).map((part) => part.trim());
  return parts.every((part) => NUMBER.test(part)) ? parts.map(Number) : null;
}

/** The text that stands for `value`: what `parse` reads back. */
export function show(field, value) {
  if (value === null || value === undefined) return "";
  if (!Array.isArray(value)) return String(value);
  return field.type === "matrix" ? value.map((row) => row.join(", ")).join("\n") : value.join(", ");
}

/** A value as Python writes it, at most 40 characters of it. */
export function repr(value) {
  const text = python(value);
  return text.length <= 40 ? text : `${text.slice(0, 37)}...`;
}

function python(value) {
  if (value === null || value === undefined) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (typeof value === "string") return value.includes("'") && !value.includes('"') ? `"${value}"` : `'${value}'`;
  if (typeof value !== "number") return JSON.stringify(value);
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "nan" : value > 0 ? "inf" : "-inf";
  return value !== 0 && Math.abs(value) < 1e-4 ? exponential(value.toExponential()) : String(value);
}

/** Ten significant digits, as Python's format ".10g". */
export function general(value) {
  if (value === 0) return "0";
  const [digits, power] = value.toExponential(9).split("e");
  if (power >= -4 && power < 10) return String(Number(value.toPrecision(10)));
  return exponential(`${Number(digits)}e${power}`);
}

const exponential = (text) => text.replace(/e([+-])(\d)$/, "e$10$2");

function listed(texts) {
  return texts.length < 2 ? texts.join("") : `${texts.slice(0, -1).join(", ")} or ${texts.at(-1)}`;
}
