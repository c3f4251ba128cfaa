/** The site that the suites visit: a page with the built library, the driver, and the agent. */
import { bundle } from "../../harness/bundles.ts";
import { startServer, type ServerOptions, type StaticServer } from "../../harness/servers.ts";
import type * as Driver from "../../fixtures/host/driver.ts";

declare global {
  /** The driver, in pages. */
  const Suite: typeof Driver;
}

const PAGE = `<!doctype html><html lang="en"><title>suite</title><body>
<script src="/dist/troupe.global.js"></script><script src="/driver.js"></script></body></html>`;

export async function openSite(options: ServerOptions = {}): Promise<StaticServer> {
  const driver = await bundle("test/fixtures/host/driver.ts", "Suite");
  const agent = await bundle("test/fixtures/host/worker.agent.ts");
  return startServer({
    ...options,
    routes: {
      "/page": PAGE,
      "/other": PAGE,
      "/strict": PAGE,
      "/driver.js": driver,
      "/agent.js": agent,
      ...options.routes,
    },
  });
}

let last = 0;
export const newName = (about: string): string => `${about}-${Date.now().toString(36)}-${String(++last)}`;
