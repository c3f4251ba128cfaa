/** What is to be audited: an archive as it is, or a folder packed into one. */
import { existsSync, lstatSync, readFileSync, readdirSync, statSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { ROOT } from "../../toolchain.js";
import { Refusal } from "../refusal.js";

/** @typedef {{ name: string, bytes: Uint8Array }} Input */

const MIB = 1024 * 1024;
/** The page's own limits; what is larger needs no browser to be refused. */
const LIMITS = { files: 5_000, bytes: 64 * MIB };
const LEFT_OUT = new Set([".git", "node_modules", ".hg", ".svn"]);

/**
 * Reads what a path names.
 * @param {string} path
 * @returns {Promise<Input>}
 */
export async function readInput(path) {
  if (!existsSync(path)) throw new Refusal(`${path}: there is nothing by that name`);
  const stats = statSync(path);
  const name = basename(resolve(path));
  if (stats.isDirectory()) return { name, bytes: await packFolder(path) };
  if (!stats.isFile()) throw new Refusal(`${path}: neither a folder nor a file`);
  if (!/\.(?:zip|tgz|tar\.gz|tar)$/iu.test(name)) {
    throw new Refusal(`${path}: not an archive; a folder, a .zip, a .tgz or a .tar.gz is needed`);
  }
  if (stats.size > LIMITS.bytes)
    throw new Refusal(`${path}: ${megabytes(stats.size)}; an archive may have ${megabytes(LIMITS.bytes)}`);
  return { name, bytes: readFileSync(path) };
}

/** @param {string} folder */
async function packFolder(folder) {
  const files = filesIn(folder);
  if (files.length === 0) throw new Refusal(`${folder}: it holds no file that could be audited`);
  if (files.length > LIMITS.files) {
    throw new Refusal(`${folder}: more than ${LIMITS.files} files; name a folder inside it`);
  }
  const size = files.reduce((sum, path) => sum + statSync(join(folder, path)).size, 0);
  if (size > LIMITS.bytes) {
    throw new Refusal(
      `${folder}: ${megabytes(size)}; ${megabytes(LIMITS.bytes)} are the most, so name a folder inside it`,
    );
  }
  const { packFiles } = await import(pathToFileURL(join(ROOT, "dist/plugins/audit.js")).href);
  return packFiles(files.map((path) => ({ path, bytes: readFileSync(join(folder, path)) })));
}

/**
 * The files of a folder, by relative path; links are not followed.
 * @param {string} folder
 */
function filesIn(folder) {
  /** @type {string[]} */
  const found = [];
  const open = [""];
  for (let at = open.pop(); at !== undefined && found.length <= LIMITS.files; at = open.pop()) {
    for (const entry of readdirSync(join(folder, at)).sort()) {
      const path = at === "" ? entry : `${at}/${entry}`;
      const stats = lstatSync(join(folder, path));
      if (LEFT_OUT.has(entry)) continue;
      if (stats.isDirectory()) open.push(path);
      else if (stats.isFile()) found.push(path);
    }
  }
  return found.sort();
}

/** @param {number} bytes */
const megabytes = (bytes) => `${(bytes / MIB).toFixed(1)} MB`;
