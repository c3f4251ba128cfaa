import { createReadStream, existsSync, statSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";

/** The repository: a server without a root of its own serves this. */
export const ROOT: string = fileURLToPath(new URL("../..", import.meta.url));

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".mjs": "text/javascript; charset=utf-8",
  ".ts": "text/javascript; charset=utf-8", // for routes that give a script under its source's name
  ".css": "text/css; charset=utf-8",
  ".json": "application/json; charset=utf-8",
  ".map": "application/json; charset=utf-8",
  ".webmanifest": "application/manifest+json",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".ico": "image/x-icon",
  ".wasm": "application/wasm",
  ".txt": "text/plain; charset=utf-8",
};

/** Answers a path by itself: with a body, or by writing to the response and giving nothing. */
export type Route =
  string | ((request: IncomingMessage, response: ServerResponse) => string | undefined | Promise<string | undefined>);

type Headers = Readonly<Record<string, string>>;

export interface ServerOptions {
  /** The folder to serve, by default the repository. */
  readonly root?: string;
  /** Headers of every answer, such as a content security policy. */
  readonly headers?: Headers | ((path: string) => Headers);
  /** Paths that are not files. A string is served with the type that the path's ending says, by default HTML. */
  readonly routes?: Readonly<Record<string, Route>>;
  readonly port?: number;
}

export interface StaticServer {
  readonly origin: string;
  readonly port: number;
  /** The paths that were asked for, in order. */
  readonly requests: readonly string[];
  close(): Promise<void>;
}

/** Serves a folder on 127.0.0.1, uncached, with the MIME types that modules and workers insist on. */
export async function startServer({
  root = ROOT,
  headers = {},
  routes = {},
  port = 0,
}: ServerOptions = {}): Promise<StaticServer> {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    const path = decodeURIComponent(new URL(request.url ?? "/", "http://server").pathname);
    requests.push(path);
    const extra = typeof headers === "function" ? headers(path) : headers;
    for (const [name, value] of Object.entries({ "cache-control": "no-store", ...extra }))
      response.setHeader(name, value);
    const route = routes[path];
    const answer = route === undefined ? sendFile(root, path, response) : sendRoute(route, path, request, response);
    answer.catch((error: unknown) => {
      if (!response.headersSent) response.writeHead(500);
      response.end(String(error));
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
  const bound = (server.address() as AddressInfo).port;
  return {
    origin: `http://127.0.0.1:${bound}`,
    port: bound,
    requests,
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  };
}

async function sendRoute(
  route: Route,
  path: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const body = typeof route === "string" ? route : await route(request, response);
  if (typeof body !== "string") return;
  if (!response.hasHeader("content-type")) response.setHeader("content-type", typeOf(path, ".html"));
  response.end(body);
}

function sendFile(root: string, path: string, response: ServerResponse): Promise<void> {
  const file = fileOf(root, path);
  if (file === undefined) {
    response.writeHead(404, { "content-type": "text/plain" }).end(`no ${path}`);
    return Promise.resolve();
  }
  response.writeHead(200, { "content-type": typeOf(file, ".bin") });
  return new Promise((resolve, reject) => {
    createReadStream(file).once("error", reject).once("end", resolve).pipe(response);
  });
}

/** `normalize` on an absolute path cannot leave it, so no request reaches beyond the root. */
function fileOf(root: string, path: string): string | undefined {
  const file = join(root, normalize(`/${path}`));
  const page = existsSync(file) && statSync(file).isDirectory() ? join(file, "index.html") : file;
  return existsSync(page) ? page : undefined;
}

function typeOf(path: string, otherwise: string): string {
  return TYPES[extname(path) || otherwise] ?? "application/octet-stream";
}
