/** A small server for the demo: files of demo/dist, on 127.0.0.1 alone, with headers as strict as the page's own. */
import { createReadStream, statSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import { ROOT } from "../toolchain.js";
import { Refusal } from "./refusal.js";
import { headersFor } from "./headers.js";

/** @import { IncomingMessage, Server, ServerResponse } from "node:http" */

/**
 * Answers a request and gives true, or leaves it to the files.
 * @typedef {(request: IncomingMessage, response: ServerResponse, path: string) => boolean} Route
 */

/** @typedef {{ origin: string, port: number, close: () => Promise<void> }} StartedServer */

const FOLDER = join(ROOT, "demo/dist");
const HOST = "127.0.0.1";
const TRIES = 50;

/** @type {Record<string, string>} */
const TYPES = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".json": "application/json; charset=utf-8",
  ".map": "application/json; charset=utf-8",
  ".svg": "image/svg+xml",
  ".tgz": "application/gzip",
  ".wasm": "application/wasm",
};

/**
 * Starts the server on the port, or the next free one; port 0 takes any.
 * @param {{ port?: number, route?: Route, names?: string[], folder?: string }} [options]
 *   `names`: further host names it is called by; `folder`: of the files
 * @returns {Promise<StartedServer>}
 */
export async function startServer({ port = 0, route = () => false, names = [], folder = FOLDER } = {}) {
  const server = createServer((request, response) => {
    answer({ request, response, route, names, folder });
  });
  const bound = await listen(server, port);
  return {
    origin: `http://${HOST}:${bound}`,
    port: bound,
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  };
}

/**
 * @param {Server} server
 * @param {number} first
 * @returns {Promise<number>}
 */
async function listen(server, first) {
  for (let port = first; port < first + TRIES; port++) {
    const error = await new Promise((resolve) => {
      server.once("error", resolve);
      server.listen(port, HOST, () => {
        server.off("error", resolve);
        resolve(undefined);
      });
    });
    const address = server.address();
    if (error === undefined && typeof address === "object" && address !== null) return address.port;
    if (error?.code !== "EADDRINUSE") throw new Refusal(`The server could not start: ${String(error?.message)}`);
  }
  throw new Refusal(`No free port from ${first} to ${first + TRIES - 1}`);
}

/** @param {{ request: IncomingMessage, response: ServerResponse, route: Route, names: string[], folder: string }} exchange */
function answer({ request, response, route, names, folder }) {
  const path = pathOf(request);
  // Another site's name that resolves to this machine must not reach it (DNS rebinding).
  const name = (request.headers.host ?? "").replace(/:\d+$/u, "");
  for (const [header, value] of Object.entries(headersFor(path ?? ""))) response.setHeader(header, value);
  if (path === undefined || ![HOST, "localhost", ...names].includes(name)) {
    response.writeHead(400, { "content-type": "text/plain" }).end("bad request");
    return;
  }
  if (!route(request, response, path)) sendFile(request, response, join(folder, inside(path)));
}

/** @param {IncomingMessage} request */
function pathOf({ url = "/" }) {
  try {
    return decodeURIComponent(new URL(url, "http://server").pathname);
  } catch {
    return undefined;
  }
}

/** @param {string} path */
const inside = (path) => normalize(path.endsWith("/") ? `${path}index.html` : path); // normalized, it can't climb out

/**
 * @param {IncomingMessage} request
 * @param {ServerResponse} response
 * @param {string} file
 */
function sendFile(request, response, file) {
  if (request.method !== "GET" && request.method !== "HEAD") {
    response.writeHead(405, { allow: "GET, HEAD" }).end();
    return;
  }
  const stats = statSync(file, { throwIfNoEntry: false });
  if (!stats?.isFile()) {
    response.writeHead(404, { "content-type": "text/plain" }).end("not found");
    return;
  }
  // Asked again each time and answered with 304: a worker's old code beside a page's new code is worse than a question.
  const tag = `"${stats.size.toString(36)}-${Math.round(stats.mtimeMs).toString(36)}"`;
  response.setHeader("cache-control", "no-cache");
  response.setHeader("etag", tag);
  if (request.headers["if-none-match"] === tag) {
    response.writeHead(304).end();
    return;
  }
  response.writeHead(200, {
    "content-type": TYPES[extname(file)] ?? "application/octet-stream",
    "content-length": stats.size,
  });
  if (request.method === "HEAD") response.end();
  else
    createReadStream(file)
      .on("error", () => response.destroy())
      .pipe(response);
}
