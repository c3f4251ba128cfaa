/**
 * `npm start [-- --port 8080]`: builds what changed and serves the demo.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { startServer } from "../../test/harness/servers.ts";
import { ROOT, runScript } from "../toolchain.js";

const { values: options } = parseArgs({ options: { port: { type: "string", default: "8080" } } });
const { code } = await runScript("scripts/build/main.js", ["--if-needed", "--no-types"]);
const root = join(ROOT, "demo/dist");

if (code !== 0 || !existsSync(root)) {
  console.error("There is no demo to serve: the build failed, see above");
  process.exitCode = 1;
} else {
  const server = await startServer({ root, port: Number(options.port) });
  console.log(`The demo is at ${server.origin}/`);
}
