/* Type-checks the browser's modules: node tools/web/types.js, from the repository's root.

   All of them are checked by `tsc --checkJs --strict`. Those in untyped.json still have faults, which are not told; one
   that has none any more must leave that list, so that it only grows shorter. */

import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";

const LIST = new URL("untyped.json", import.meta.url);
const WEB = "playground/ui/web/";

const { stdout, stderr, error } = spawnSync(
  process.execPath,
  ["tools/web/node_modules/typescript/bin/tsc", "--project", "tools/web", "--pretty", "false"],
  { encoding: "utf8", maxBuffer: 2 ** 26 },
);
if (error || stderr) throw error ?? new Error(stderr);
const faults = stdout.split("\n").filter((line) => line && !line.startsWith(" "));
/** @type {(line: string) => string} */
const fileOf = (line) => line.slice(0, line.indexOf("(")).replace(/^.*?(?=playground\/|tools\/|tests\/)/, "");
const found = new Set(faults.map((line) => fileOf(line).replace(WEB, "")));

if (process.argv.includes("--write")) writeFileSync(LIST, `${JSON.stringify([...found].sort(), null, 2)}\n`);
/** @type {string[]} */
const untyped = JSON.parse(readFileSync(LIST, "utf8"));
const told = faults.filter((line) => !untyped.includes(fileOf(line).replace(WEB, "")));
const done = untyped.filter((name) => !found.has(name));
for (const line of told) console.error(line);
for (const name of done) console.error(`${name} has no fault any more: take it off tools/web/untyped.json.`);
process.exitCode = told.length + done.length ? 1 : 0;
