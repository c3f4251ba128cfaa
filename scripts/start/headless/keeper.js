/**
 * Stands between the command and its browser, so that no browser is left behind however the command ends: when the
 * pipe from the command closes (it has ended, or was killed), the browser is ended, and then a temporary profile removed.
 *   node keeper.js <folder to remove, or ""> <browser> <arguments…>
 */
import { spawn } from "node:child_process";
import { rmSync } from "node:fs";

const GRACE = 4_000;
const [discard = "", command = "", ...args] = process.argv.slice(2);

// A group of its own: the browser's helpers are ended with it, and Ctrl-C in the terminal reaches the command alone.
const browser = spawn(command, args, { stdio: ["ignore", "ignore", "pipe"], detached: true });
let complaint = "";
browser.stderr.on("data", (chunk) => (complaint = (complaint + String(chunk)).slice(-4_000)));
browser.once("error", (error) => {
  complaint += error.message;
  finish(127);
});
browser.once("exit", (code) => {
  finish(code ?? 1);
});

process.stdin.resume();
process.stdin.once("end", () => {
  signal("SIGTERM");
  setTimeout(() => {
    signal("SIGKILL");
  }, GRACE).unref();
});
for (const name of /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP"])) process.on(name, () => signal("SIGKILL"));

/** @param {NodeJS.Signals} name */
function signal(name) {
  try {
    if (browser.pid !== undefined) process.kill(-browser.pid, name);
  } catch {
    // it is gone
  }
}

/** @param {number} code */
function finish(code) {
  signal("SIGKILL"); // helpers that outlived it
  if (discard !== "") rmSync(discard, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  process.stdout.write(complaint, () => process.exit(code));
}
