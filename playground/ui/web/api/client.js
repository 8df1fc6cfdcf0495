// Asking the server outside of Gradio's queue, and the key by which it knows this page.

/** @import {WireProblem} from "../common/wire.js" */
/** @typedef {Error & {busy?: boolean, past?: boolean, problems?: WireProblem[]}} ServerError */

/** @type {string} Where the server's addresses begin. */
export const root = /** @type {any} */ (window).gradio_config?.root ?? "";

/** What is said where no answer comes; taken back by `window`'s event "pg:back" once one does. */
export const UNREACHABLE = "the server cannot be reached";
const TRY_EVERY = 2000; // ms

let trying = 0;

/** Tries until the server answers again, and says so. */
function awaitServer() {
  trying ||= setInterval(async () => {
    const answers = await fetch(`${root}/playground/form.json`, { method: "HEAD" }).then(
      () => true,
      () => false,
    );
    if (!answers) return;
    clearInterval(trying);
    trying = 0;
    window.dispatchEvent(new CustomEvent("pg:back"));
  }, TRY_EVERY);
}

/** @returns {never} */
function unreachable() {
  awaitServer();
  throw Object.assign(new Error(`${UNREACHABLE}.`), { offline: true });
}

/**
 * GETs JSON, or POSTs text where `body` is given. Throws a ServerError with the server's sentence, its problems beside
 * it; `busy` where asking again may help, unless it is `past`: what was asked about has gone.
 * @param {string} path
 * @param {string} [body]
 * @returns {Promise<any>} a message of wire.d.ts
 */
export async function fetchJSON(path, body) {
  const answer = await fetch(root + path, body === undefined ? {} : { method: "POST", body }).catch(unreachable);
  const content = await answer.json().catch(() => ({ message: "the server's answer could not be read." }));
  if (content?.busy) throw Object.assign(new Error(content.message), { busy: true, past: content.past });
  if (!answer.ok) throw Object.assign(new Error(content.message), { problems: content.problems ?? [] });
  return content;
}

const KEPT = "pg-page";
/** @type {Promise<string> | undefined} */
let key;

/** This tab's own key: kept over a reload, and a new one in a duplicated tab, which copies the storage of the first. */
export function pageKey() {
  key ??= claim(sessionStorage.getItem(KEPT) ?? fresh());
  return key;
}

function fresh() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** @param {string} wanted */
async function claim(wanted) {
  const mine = (await holds(wanted)) ? wanted : fresh();
  if (mine !== wanted) await holds(mine);
  sessionStorage.setItem(KEPT, mine);
  return mine;
}

/**
 * Takes the key's lock for as long as this page lives; false where another tab has it.
 * @param {string} name
 * @returns {Promise<boolean>}
 */
function holds(name) {
  if (!navigator.locks) return Promise.resolve(true);
  return new Promise((answer) => {
    navigator.locks.request(`pg-page-${name}`, { ifAvailable: true }, (lock) => {
      answer(lock !== null);
      return lock && new Promise(() => {}); // never settled
    });
  });
}
