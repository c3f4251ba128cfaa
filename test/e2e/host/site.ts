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

/** The site's agents of the crowd. */
export const CROWD = 8;

export async function openSite(options: ServerOptions = {}): Promise<StaticServer> {
  const driver = await bundle("test/fixtures/host/driver.ts", "Suite");
  const agent = await bundle("test/fixtures/host/worker.agent.ts");
  const member = await bundle("test/fixtures/host/crowd.agent.ts");
  const members = Array.from({ length: CROWD }, (_, at) => {
    const name = `crowd-${String(at)}`;
    return [`/${name}.js`, member.replace("crowd-0", name)] as const;
  });
  return startServer({
    ...options,
    routes: {
      "/page": PAGE,
      "/other": PAGE,
      "/strict": PAGE,
      "/driver.js": driver,
      "/agent.js": agent,
      ...Object.fromEntries(members),
      ...options.routes,
    },
  });
}

let last = 0;
export const newName = (about: string): string => `${about}-${Date.now().toString(36)}-${String(++last)}`;
