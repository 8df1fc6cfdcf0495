// What the browser's modules are held to beyond their types. Run from the repository's root.

import js from "@eslint/js";
import globals from "globals";

const WEB = "playground/ui/web";
const ANYWHERE = [`${WEB}/compute/**/*.js`, `${WEB}/common/{codec,numbers}.js`]; // in a page, in a worker and in node
const WORKERS = [`${WEB}/workers/*-worker.js`];
const NODE = ["tests/web/**/*.js", "tools/**/*.js"];

export default [
  js.configs.recommended,
  {
    languageOptions: { ecmaVersion: 2024, sourceType: "module" },
    linterOptions: { reportUnusedDisableDirectives: "error" },
    rules: {
      "array-callback-return": "error",
      eqeqeq: ["error", "always", { null: "ignore" }],
      "no-constructor-return": "error",
      "no-implicit-coercion": "error",
      "no-self-compare": "error",
      "no-template-curly-in-string": "error",
      "no-throw-literal": "error",
      "no-unused-expressions": ["error", { allowShortCircuit: true, allowTernary: true }],
      "no-unused-vars": ["error", { ignoreRestSiblings: true }],
      "no-useless-return": "error",
      "no-var": "error",
      "object-shorthand": "error",
      "prefer-const": ["error", { destructuring: "all" }],
    },
  },
  { files: [`${WEB}/**/*.js`], ignores: [...ANYWHERE, ...WORKERS], languageOptions: { globals: globals.browser } },
  { files: ANYWHERE, languageOptions: { globals: globals["shared-node-browser"] } },
  { files: WORKERS, languageOptions: { globals: globals.worker } },
  { files: NODE, languageOptions: { globals: globals.node } },
];
