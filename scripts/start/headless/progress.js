/** How the run goes, in the terminal: a block that is drawn over itself, or plain lines where that can't be. */

/** @import { Step } from "./session.js" */

const BAR = 28;
/** Between two drawings, in milliseconds. */
const PAUSE = 100;
const TENTH = 0.1;

/**
 * @param {{ isTTY?: boolean, columns?: number, write: (text: string) => unknown }} out
 */
export function createProgress(out) {
  return out.isTTY === true ? drawnProgress(out) : plainProgress(out);
}

/** @param {{ columns?: number, write: (text: string) => unknown }} out */
function drawnProgress(out) {
  let lines = 0;
  let last = 0;
  /** @type {Step[]} */
  let steps = [];
  const draw = () => {
    const width = Math.max(40, out.columns || 80); // some terminals say 0
    const text = steps.map((step) => lineOf(step).slice(0, width - 1));
    const up = lines > 0 ? `\u001b[${lines}A` : "";
    out.write(`${up}${text.map((line) => `\u001b[2K${line}\n`).join("")}`);
    lines = text.length;
    last = Date.now();
  };
  return {
    /** @param {Step[]} now */
    show(now) {
      steps = now;
      if (Date.now() - last >= PAUSE) draw();
    },
    end() {
      if (steps.length > 0) draw();
      lines = 0;
    },
  };
}

/** @param {Step} step */
function lineOf({ title, status, done, total, ms }) {
  const name = `  ${title}`.padEnd(24);
  if (total !== undefined && total > 0) {
    const share = (done ?? 0) / total;
    const filled = Math.round(share * BAR);
    const bar = "█".repeat(filled) + "░".repeat(BAR - filled);
    return `${name}${bar} ${number(done ?? 0)}/${number(total)}`;
  }
  const time = ms !== undefined && status === "completed" ? `, ${(ms / 1000).toFixed(1)} s` : "";
  return `${name}${WORDS[status] ?? status}${time}`;
}

/** @type {Record<string, string>} */
const WORDS = { pending: "·", running: "working …", completed: "done", failed: "FAILED", skipped: "skipped" };

/** @param {{ write: (text: string) => unknown }} out */
function plainProgress(out) {
  /** @type {Map<string, string>} */
  const told = new Map();
  return {
    /** @param {Step[]} steps */
    show(steps) {
      for (const step of steps) {
        const line = plainLine(step);
        if (line === undefined || told.get(step.id) === line) continue;
        told.set(step.id, line);
        out.write(`${line}\n`);
      }
    },
    end: () => undefined,
  };
}

/**
 * A line that changes ten times in a map's life, and twice in that of another step.
 * @param {Step} step
 */
function plainLine({ title, status, done, total }) {
  if (status === "pending") return undefined;
  if (total === 0) return `${title}: nothing to do`;
  if (total === undefined) return `${title}: ${WORDS[status] ?? status}`;
  if (status === "completed") return `${title}: ${number(total)} of ${number(total)}`;
  const tenth = Math.floor((done ?? 0) / total / TENTH) * TENTH;
  return `${title}: ${number(Math.floor(total * tenth))} of ${number(total)}`;
}

/** @param {number} value */
const number = (value) => value.toLocaleString("en");
