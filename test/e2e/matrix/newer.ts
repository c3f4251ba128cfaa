/** The built library as a later release: the same files under another address, with another number. */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { VERSION } from "../../../src/core/version.ts";
import { ROOT } from "../../harness/servers.ts";

const LATER = "99.0.0";

export function newerRoutes(): Record<string, string> {
  const dist = join(ROOT, "dist");
  const files = readdirSync(dist).filter((file) => /\.(?:js|html)$/u.test(file) && statSync(join(dist, file)).isFile());
  const texts = files.map((file) => [file, readFileSync(join(dist, file), "utf8")] as const);
  const changed = texts.filter(([, text]) => text.includes(`"${VERSION}"`));
  if (changed.length === 0) throw new Error(`nothing in dist names the version ${VERSION}`);
  const page = `<!doctype html><html lang="en"><title>newer</title><body>
<script src="/newer/troupe.global.js"></script><script src="/driver.js"></script></body></html>`;
  return {
    ...Object.fromEntries(
      texts.map(([file, text]) => [`/newer/${file}`, text.replaceAll(`"${VERSION}"`, `"${LATER}"`)]),
    ),
    "/newer/page": page,
  };
}
