/** The servers of a test: a page under a strict policy, hosts that log who comes, and another origin for the cell. */
import { build } from "esbuild";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { ROOT, startServer, type Route, type StaticServer } from "../../harness/servers.ts";

/** Everything forbidden but what Troupe needs. */
export const STRICT =
  "default-src 'none'; script-src 'self'; worker-src 'self'; frame-src 'self'; connect-src 'self'; require-trusted-types-for 'script'";

const PAGE = '<!doctype html><meta charset="utf-8"><title>Cells</title><script src="/page.js"></script>';

/** A script bundled from a source of the repository. */
export async function bundle(source: string): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [join(ROOT, source)],
    bundle: true,
    format: "iife",
    target: "es2022",
    write: false,
  });
  const [file] = outputFiles;
  if (file === undefined) throw new Error(`no output from ${source}`);
  return file.text;
}

export interface SiteOptions {
  readonly policy?: string;
  readonly routes?: Readonly<Record<string, Route>>;
}

/** A page with the spawner, the built cell, and the agents of the routes. */
export async function startSite({ policy = STRICT, routes = {} }: SiteOptions = {}): Promise<StaticServer> {
  const script = await bundle("test/e2e/cells/page.ts");
  return startServer({
    root: join(ROOT, "dist"),
    headers: (path) => (path === "/" ? { "content-security-policy": policy, "set-cookie": "sid=secret" } : {}),
    routes: { "/": PAGE, "/page.js": script, ...routes },
  });
}

/** An origin that serves the built cell and nothing else. */
export const startCellOrigin = (): Promise<StaticServer> =>
  startServer({ routes: { "/cell.html": built("cell.html"), "/cell.js": built("cell.js") }, root: join(ROOT, "docs") });

const built = (name: string): string => readFileSync(join(ROOT, "dist", name), "utf8");

export interface HitLog {
  readonly origin: string;
  /** What was asked for, WebSockets too: the path, and whether a cookie came along. */
  readonly hits: readonly { readonly url: string; readonly cookie: boolean }[];
  close(): Promise<void>;
}

/** A host that answers everybody, redirects where it is told to, and remembers. */
export async function startHitLog(): Promise<HitLog> {
  const hits: { url: string; cookie: boolean }[] = [];
  const server = createServer(({ url = "", headers }, response) => {
    hits.push({ url, cookie: headers.cookie !== undefined });
    response.setHeader("access-control-allow-origin", "*");
    const target = /^\/redirect\?(.*)$/u.exec(url)?.[1];
    if (target !== undefined) response.writeHead(302, { location: target });
    response.end("hello");
  });
  server.on("upgrade", ({ url = "", headers }, socket) => {
    hits.push({ url, cookie: headers.cookie !== undefined });
    socket.destroy();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    hits,
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  };
}
