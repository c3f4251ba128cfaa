/**
 * The wire between this process and the page: paths under a secret token, which the page learns by its address.
 *   GET  job      what to do                  GET  input      the archive's bytes
 *   POST news     how it goes, as JSON        PUT  report/…   a file of the report
 */
import { createHash, randomBytes } from "node:crypto";

/** @import { IncomingMessage, ServerResponse } from "node:http" */
/** @import { Input } from "./input.js" */

/**
 * What the page tells. The step "begun" comes first, "done" or "failed" last.
 * @typedef {object} News
 * @property {"begun" | "progress" | "done" | "failed"} kind
 * @property {string} [run]
 * @property {{ done: number, total: number }} [resumed] what was done already when the page came to the run
 * @property {Step[]} [steps]
 * @property {Summary} [summary]
 * @property {string} [code]
 * @property {string} [message]
 */

/** @typedef {{ id: string, title: string, status: string, done?: number, total?: number, ms?: number }} Step */
/** @typedef {{ files: number, total: number, bySeverity: Record<string, number>, accepted: number, dismissed: number }} Summary */
/** @typedef {{ id: string, name: string, approve: "all" | "none", reviewer: string }} Job */

const MAX_BODY = 128 * 1024 * 1024;

/**
 * @param {{ job: Job, input: Input, onNews: (news: News) => void, onReport: (file: string, bytes: Buffer) => void }} options
 */
export function createSession({ job, input, onNews, onReport }) {
  const token = randomBytes(24).toString("base64url");
  const base = `/session/${token}/`;
  /** @type {Record<string, (request: IncomingMessage, response: ServerResponse) => void | Promise<void>>} */
  const answers = {
    "GET job": (_, response) => {
      send(response, "application/json", Buffer.from(JSON.stringify(job)));
    },
    "GET input": (_, response) => {
      send(response, "application/octet-stream", input.bytes);
    },
    "POST news": async (request, response) => {
      const news = JSON.parse((await bodyOf(request)).toString());
      response.writeHead(204).end();
      onNews(news);
    },
  };
  for (const file of ["report.html", "report.json", "report.sarif"]) {
    answers[`PUT ${file}`] = async (request, response) => {
      onReport(file, await bodyOf(request));
      response.writeHead(204).end();
    };
  }
  /** @type {import("../server.js").Route} */
  const route = (request, response, path) => {
    if (!path.startsWith(base)) return false;
    const answer = answers[`${request.method} ${path.slice(base.length)}`];
    if (answer === undefined) return false;
    Promise.resolve(answer(request, response)).catch(() => response.destroy());
    return true;
  };
  return { route, hash: `#/session/${token}` };
}

/**
 * @param {ServerResponse} response
 * @param {string} type
 * @param {Uint8Array} bytes
 */
function send(response, type, bytes) {
  response.writeHead(200, { "content-type": type, "content-length": bytes.length, "cache-control": "no-store" });
  response.end(bytes);
}

/**
 * @param {IncomingMessage} request
 * @returns {Promise<Buffer>}
 */
async function bodyOf(request) {
  const chunks = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    if (size > MAX_BODY) throw new Error("the page sends more than it may");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/**
 * What makes two commands the same one: the same bytes under the same name, approved the same way.
 * @param {Input} input
 * @param {string} approve
 */
export function keyOf({ name, bytes }, approve) {
  return createHash("sha256").update(`${name}\n${approve}\n`).update(bytes).digest("hex");
}
