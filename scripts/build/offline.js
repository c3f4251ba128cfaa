/** The list of the demo's files, by which its service worker keeps a copy of them: scanned, so that none is forgotten. */
import { createHash } from "node:crypto";
import { globSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, sep } from "node:path";
import { headersFor } from "../start/headers.js";

const LEFT_OUT = /\.map$|^offline\.js(?:on)?$/u;

/**
 * Makes the folder's cell whole in itself, and lists what is there; so it is called last.
 * @param {string} folder
 */
export function prepareOffline(folder) {
  joinCell(folder);
  listFiles(folder);
}

/**
 * Writes the folder's `offline.json`.
 * @param {string} folder
 */
export function listFiles(folder) {
  const names = globSync("**/*.*", { cwd: folder }).map((name) => name.split(sep).join("/"));
  const files = Object.fromEntries(
    names
      .filter((name) => !LEFT_OUT.test(name))
      .sort()
      .map((name) => [name, sha256(readFileSync(join(folder, name)))]),
  );
  // Headers are kept with the files, so a change of them is a new version too.
  const headers = Object.keys(files).map((name) => headersFor(name === "index.html" ? "/" : `/${name}`));
  const version = sha256(JSON.stringify([files, headers])).slice(0, 16);
  writeFileSync(join(folder, "offline.json"), JSON.stringify({ version, files }));
}

/**
 * A service worker answers for no request of a page without an origin, so the cell can't have its script in another file.
 * @param {string} folder
 */
function joinCell(folder) {
  const file = join(folder, "cell.html");
  const source = join(folder, "cell.js");
  const script = readFileSync(source, "utf8").replace(/\n\/\/# sourceMappingURL=.*\s*$/u, "");
  if (script.includes("</script")) throw new Error("cell.js can't stand in HTML");
  const html = readFileSync(file, "utf8");
  const joined = html.replace(/<script\b[^>]*><\/script>/u, () => `<script>${script}</script>`);
  if (joined === html) throw new Error("cell.html has no script");
  writeFileSync(file, joined);
  rmSync(source);
}

/** @param {string | Uint8Array} data */
const sha256 = (data) => createHash("sha256").update(data).digest("hex");
