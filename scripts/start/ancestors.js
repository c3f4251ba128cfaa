/** Notices when the command that stands above this one was killed: then this one must not live on unseen. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";

const EVERY = 400;

/**
 * Calls back when the wrapper that started this process, or npm above it, is gone.
 * @param {() => void} gone
 * @returns {() => void} ends the watching
 */
export function watchAncestors(gone) {
  const watched = [process.ppid];
  // npm → sh → scripts/start.js → this. Without npm the wrapper's parent is a shell, which may go at will.
  if (process.env["npm_lifecycle_event"] !== undefined) {
    for (let pid = parentOf(process.ppid), level = 0; pid !== undefined && pid > 1 && level < 2; level++) {
      watched.push(pid);
      pid = parentOf(pid);
    }
  }
  const timer = setInterval(() => {
    if (process.ppid === watched[0] && watched.every(isAlive)) return;
    clearInterval(timer);
    gone();
  }, EVERY);
  timer.unref();
  return () => {
    clearInterval(timer);
  };
}

/**
 * @param {number} pid
 * @returns {number | undefined}
 */
function parentOf(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
  } catch {
    const { stdout } = spawnSync("ps", ["-o", "ppid=", "-p", String(pid)], { encoding: "utf8" });
    const parent = Number.parseInt(stdout ?? "", 10);
    return Number.isNaN(parent) ? undefined : parent;
  }
}

/** @param {number} pid */
function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM"; // somebody else's, so it lives
  }
}
