/* Type-checks the browser's modules: node tools/web/types.js, from the repository's root.

   `tsc --checkJs --strict` reads all of them. Those that typed.json lists may have no fault; with --write the list
   becomes all that have none. It is to grow until it is everything. */

import { spawnSync } from "node:child_process";
import { globSync, readFileSync, writeFileSync } from "node:fs";

const LIST = new URL("typed.json", import.meta.url);
const WEB = "playground/ui/web/";

const { stdout, stderr, error } = spawnSync(
  process.execPath,
  ["tools/web/node_modules/typescript/bin/tsc", "--project", "tools/web", "--pretty", "false"],
  { encoding: "utf8", maxBuffer: 2 ** 26 },
);
if (error || stderr) throw error ?? new Error(stderr);
const faults = stdout.split("\n").filter((line) => line && !line.startsWith(" "));
const unread = faults.filter((line) => !line.includes(WEB)); // of the compiler's own settings, say
/** @type {(line: string) => string} */
const moduleOf = (line) => line.slice(line.indexOf(WEB) + WEB.length, line.indexOf("("));
const found = new Set(faults.map(moduleOf));

const modules = globSync("**/*.js", { cwd: WEB }).map((name) => name.replaceAll("\\", "/"));
const clean = modules.filter((name) => !found.has(name)).sort();
if (process.argv.includes("--write")) writeFileSync(LIST, `${JSON.stringify(clean, null, 2)}\n`);
/** @type {string[]} */
const listed = JSON.parse(readFileSync(LIST, "utf8"));
const told = [...unread, ...faults.filter((line) => listed.includes(moduleOf(line)))];
for (const line of told) console.error(line);
const gone = listed.filter((name) => !modules.includes(name));
for (const name of gone) console.error(`${name} is in tools/web/typed.json and is not there.`);
const more = clean.filter((name) => !listed.includes(name));
if (more.length) console.log(`Without a fault, and not in tools/web/typed.json yet (--write): ${more.join(", ")}`);
process.exitCode = told.length || gone.length ? 1 : 0;
