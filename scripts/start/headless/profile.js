/** The browser's folder: kept from one command to the next, or made for this one and removed after it. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Refusal } from "../refusal.js";

/** The run that a profile is about; `port` is for browsers whose origin has one. */
/** @typedef {{ key: string, run: string, port: number | undefined, finished: boolean }} Remembered */

/**
 * @typedef {object} Profile
 * @property {string} path
 * @property {boolean} temporary
 * @property {Remembered | undefined} remembered
 * @property {(note: Remembered) => void} remember
 * @property {(keeper: number) => void} lockedBy the process that ends after the browser
 * @property {() => void} close
 */

const NOTE = "troupe-run.json";
const LOCK = "troupe-lock.json";
/** How long a command that was killed may take to be gone, with its browser. */
const PATIENCE = 15_000;

/**
 * @param {string | undefined} given
 * @returns {Promise<Profile>}
 */
export async function openProfile(given) {
  if (given === undefined) return temporaryProfile();
  const path = resolve(given);
  mkdirSync(path, { recursive: true });
  await takeLock(path);
  // A browser that was killed leaves its own lock behind, which would refuse the next one on another machine.
  for (const name of ["SingletonLock", "SingletonCookie", "SingletonSocket"]) rmSync(join(path, name), { force: true });
  return {
    path,
    temporary: false,
    remembered: readNote(path),
    remember(note) {
      writeWhole(join(path, NOTE), JSON.stringify(note));
    },
    lockedBy(keeper) {
      writeWhole(join(path, LOCK), JSON.stringify({ command: process.pid, keeper }));
    },
    close() {
      rmSync(join(path, LOCK), { force: true });
    },
  };
}

/** @returns {Profile} */
function temporaryProfile() {
  const path = mkdtempSync(join(tmpdir(), "troupe-audit-"));
  return {
    path,
    temporary: true,
    remembered: undefined,
    remember: () => undefined,
    lockedBy: () => undefined,
    close() {
      rmSync(path, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
    },
  };
}

/** @param {string} path */
async function takeLock(path) {
  const deadline = Date.now() + PATIENCE;
  for (;;) {
    const { command, keeper } = readLock(path);
    const user = [command, keeper].find(isAlive);
    if (user === undefined) break;
    if (Date.now() > deadline) throw new Refusal(`${path}: another command (process ${user}) is using this profile`);
    await sleep(100);
  }
  writeWhole(join(path, LOCK), JSON.stringify({ command: process.pid }));
}

/**
 * @param {string} path
 * @returns {{ command?: number, keeper?: number }}
 */
function readLock(path) {
  try {
    return JSON.parse(readFileSync(join(path, LOCK), "utf8"));
  } catch {
    return {}; // there is none
  }
}

/** @param {number | undefined} pid */
function isAlive(pid) {
  if (pid === undefined || pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/**
 * @param {string} path
 * @returns {Remembered | undefined}
 */
function readNote(path) {
  const file = join(path, NOTE);
  if (!existsSync(file)) return undefined;
  try {
    const { key, run, port, finished } = JSON.parse(readFileSync(file, "utf8"));
    return typeof key === "string" && typeof run === "string"
      ? { key, run, port, finished: finished === true }
      : undefined;
  } catch {
    return undefined; // not ours, or torn: the run starts anew
  }
}

/**
 * Writes a file so that it is whole at every moment.
 * @param {string} file
 * @param {string} text
 */
function writeWhole(file, text) {
  writeFileSync(`${file}.new`, text);
  renameSync(`${file}.new`, file);
}
