import { build } from "esbuild";
import { join } from "node:path";
import { ROOT } from "../../toolchain.js";

/** @import { Example } from "./examples.js" */

/** Collects what goes wrong, from before the first script on. */
const WATCH = `<script>
  globalThis.outcome = { errors: [] };
  outcome.ended = new Promise((resolve) => (outcome.end = resolve));
  const note = (error) => outcome.errors.push(String(error?.stack ?? error));
  addEventListener("error", (event) => note(event.error ?? event.message ?? "a script or style did not load"), true);
  addEventListener("unhandledrejection", (event) => note(event.reason));
  const { error } = console;
  console.error = (...args) => (note(args.join(" ")), error(...args));
</script>`;

/** @param {string} name */
export const scriptOf = (name) => name.replace(/\.ts$/u, ".js");

/**
 * The page of a program: HTML as printed, or a page that does nothing but run the script.
 * @param {Example} example
 * @param {Record<string, string>} imports
 */
export function pageOf({ kind, name, text }, imports) {
  const head = `${WATCH}<script type="importmap">${JSON.stringify({ imports })}</script>`;
  if (kind === "html") {
    const end = `<script type="module">addEventListener("load", () => outcome.end()); document.readyState === "complete" && outcome.end();</script>`;
    return withHead(text, head + end);
  }
  const script = `import("./${scriptOf(name)}").catch(note).then(() => outcome.end());`;
  return `<!doctype html><meta charset="utf-8" /><title>${name}</title>${head}<script type="module">${script}</script>`;
}

/**
 * Puts scripts before everything that the page brings itself, and leaves the doctype first.
 * @param {string} html
 * @param {string} head
 */
function withHead(html, head) {
  const doctype = /^\s*<!doctype[^>]*>/iu.exec(html)?.[0] ?? "<!doctype html>";
  return doctype + head + html.replace(/^\s*<!doctype[^>]*>/iu, "");
}

/**
 * A file that a program names by URL, such as an agent's: one script without imports, as a bundler would make it.
 * @param {string} name
 * @param {string} text
 */
export async function bundleFile(name, text) {
  const stdin = {
    contents: text,
    resolveDir: join(ROOT, ".cache/readme"),
    sourcefile: name,
    loader: /** @type {const} */ ("ts"),
  };
  const { outputFiles } = await build({ stdin, bundle: true, format: "esm", target: "es2022", write: false });
  return outputFiles[0]?.text ?? "";
}
