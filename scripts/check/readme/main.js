/**
 * Runs the examples of README.md as printed: the types are checked, then each program runs in a page against dist/.
 */
import { transform } from "esbuild";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { launch } from "../../../test/harness/browsers.ts";
import { startServer } from "../../../test/harness/servers.ts";
import { ROOT, run } from "../../toolchain.js";
import { readExamples } from "./examples.js";
import { importMap } from "./import-map.js";
import { bundleFile, pageOf, scriptOf } from "./pages.js";

/** @import { Example } from "./examples.js" */

const FOLDER = ".cache/readme";
const PATIENCE = 20_000;

process.chdir(ROOT);
if (!existsSync("README.md")) fail("README.md is missing");
else if (!existsSync("dist/index.js")) fail("dist/index.js is missing: npm run build");
else await check(readExamples(readFileSync("README.md", "utf8")));

/** @param {string} message */
function fail(message) {
  console.log(`FAILED ${message}`);
  process.exitCode = 1;
}

/** @param {Example[]} examples */
async function check(examples) {
  const programs = examples.filter(({ kind }) => kind !== "file");
  if (programs.length === 0) return fail("README.md has no example to run");
  await checkTypes(examples.filter(({ name }) => name.endsWith(".ts")));
  await runAll(examples, programs);
  console.log(`${programs.length} examples`);
}

/** @param {Example[]} examples */
async function checkTypes(examples) {
  rmSync(FOLDER, { recursive: true, force: true });
  for (const { name, text, line } of examples) {
    const file = join(FOLDER, name);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, `// README.md, line ${line}\n${text}`);
  }
  const compilerOptions = { lib: ["ES2023", "DOM"], noEmit: true, noUnusedLocals: false, noUnusedParameters: false };
  const config = { extends: "../../tsconfig.base.json", compilerOptions, include: ["**/*.ts"] };
  writeFileSync(join(FOLDER, "tsconfig.json"), JSON.stringify(config));
  if (examples.length === 0) return;
  const { code, output } = await run("tsc", ["-p", FOLDER, "--pretty", "false"], { quiet: true });
  if (code !== 0) fail(`types\n${output.trimEnd()}`);
}

/**
 * @param {Example[]} examples
 * @param {Example[]} programs
 */
async function runAll(examples, programs) {
  const server = await startServer({ routes: await routesOf(examples) });
  const browser = await launch("chromium");
  for (const { name, line } of programs) {
    const page = await browser.newPage(`${server.origin}/readme/${basename(name, ".ts")}`);
    const errors = await page.evaluate(waitForEnd, PATIENCE);
    if (errors.length > 0) fail(`README.md:${line}\n${errors.join("\n")}`);
    else console.log(`ok     README.md:${line}`);
    await page.close();
  }
  await browser.close();
  await server.close();
}

/**
 * Runs in the page: waits until the program ended, and a little for what it left running.
 * @param {number} patience
 * @returns {Promise<string[]>}
 */
async function waitForEnd(patience) {
  const { outcome } = /** @type {{ outcome: { errors: string[], ended: Promise<void> } }} */ (
    /** @type {unknown} */ (globalThis)
  );
  const late = new Promise((resolve) => setTimeout(resolve, patience, "late"));
  if ((await Promise.race([outcome.ended, late])) === "late") outcome.errors.push(`did not end within ${patience} ms`);
  await new Promise((resolve) => setTimeout(resolve, 500));
  return outcome.errors;
}

/**
 * Each program's page and script, and the files beside them.
 * @param {Example[]} examples
 */
async function routesOf(examples) {
  const { imports, scripts: routes } = await importMap();
  for (const example of examples) {
    const { kind, name, text } = example;
    if (kind === "file") routes[`/readme/${name}`] = routes[`/readme/${scriptOf(name)}`] = await bundleFile(name, text);
    else routes[`/readme/${basename(name, ".ts")}`] = pageOf(example, imports);
    if (kind === "ts") routes[`/readme/${scriptOf(name)}`] = (await transform(text, { loader: "ts" })).code;
  }
  const global = "dist/troupe.global.js";
  if (existsSync(global)) routes["/readme/troupe.global.js"] = readFileSync(global, "utf8");
  return routes;
}
