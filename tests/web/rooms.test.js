import { globSync } from "node:fs";
import { test } from "node:test";

const WEB = new URL("../../playground/ui/web/", import.meta.url);

for (const name of globSync("compute/**/*.js", { cwd: WEB })) {
  test(`${name} needs no page`, () => import(new URL(name, WEB)));
}
