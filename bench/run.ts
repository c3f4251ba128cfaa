/**
 * `npm run bench -- [tasks] [workflows] [graphs] [dispatch] [messages] [storage] [stream] [matching]`: ours, the bound
 * and the peers in the same page of a real browser; `matching` is the scheduler alone, in Node.
 *   --quick            small sizes, and nothing is kept
 *   --rounds N         default 5
 *   --only PART        only benchmarks whose name has this part
 *   --browser NAME     chromium (default) or firefox
 *   --soak MINUTES     of messages, while tabs and agents are killed (chromium), and nothing else; --batched: 250 together
 *   --profile          shows where the time of the host and of the page goes, and keeps nothing (chromium)
 */
import { mkdir, writeFile } from "node:fs/promises";
import { cpus, loadavg, release, totalmem, type } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { launch, makeProfile, type Page } from "../test/harness/browsers.ts";
import { ROOT, startServer } from "../test/harness/servers.ts";
import { bundle } from "./bundle.ts";
import type { Bench } from "./page/index.ts";
import { calibrate } from "./page/measure.ts";
import { measureMatching } from "./matching.ts";
import { profile } from "./profile.ts";
import { report } from "./report.ts";
import { runSoak } from "./soak.ts";
import type { Machine, Results, Row } from "./row.ts";

declare const bench: Bench; // in the page

const SUITES = ["tasks", "workflows", "graphs", "dispatch", "messages", "storage", "stream"];
const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: "boolean", default: false },
    rounds: { type: "string" },
    only: { type: "string", default: "" },
    browser: { type: "string", default: "chromium" },
    soak: { type: "string" },
    batched: { type: "boolean", default: false },
    profile: { type: "boolean", default: false },
  },
});
const rounds = Number(options.rounds ?? (options.quick ? 1 : 5));
const engine = options.browser === "firefox" ? "firefox" : "chromium";
const suites = SUITES.filter(
  (suite) => positionals.length === 0 || [suite, "all"].some((one) => positionals.includes(one)),
);

if (options.soak !== undefined) {
  await runSoak(Number(options.soak), options.batched);
  process.exit();
}
if (suites.length > 0) await bundle(!options.profile);
for (const suite of suites) await runSuite(suite);
if (positionals.length === 0 || positionals.includes("matching") || positionals.includes("all")) await runMatching();
process.exit();

async function runMatching(): Promise<void> {
  const before = { load: loadavg()[0] ?? 0, calibration: calibrate() };
  const rows = measureMatching(rounds, options.quick).filter(({ figure }) => figure.includes(options.only));
  for (const row of rows) print(row);
  const machine: Machine = {
    ...here(),
    browser: `Node ${process.version}`,
    load: [before.load, loadavg()[0] ?? 0],
    calibration: [before.calibration, calibrate()],
  };
  if (options.quick || options.only !== "") return;
  await mkdir(join(ROOT, "bench/results"), { recursive: true });
  const results: Results = {
    suite: "matching",
    command: `npm run bench -- ${process.argv.slice(2).join(" ")}`,
    machine,
    rows,
  };
  await writeFile(join(ROOT, "bench/results/matching.json"), `${JSON.stringify(results, null, 2)}\n`);
  await report();
}

function here(): Pick<Machine, "date" | "cpu" | "cores" | "memory" | "system"> {
  return {
    date: new Date().toISOString().slice(0, 10),
    cpu: cpus()[0]?.model ?? "",
    cores: cpus().length,
    memory: `${(totalmem() / 2 ** 30).toFixed(0)} GB`,
    system: `${type()} ${release()}`,
  };
}

async function runSuite(suite: string): Promise<void> {
  const server = await startServer({
    routes: { "/bench.html": '<!doctype html><meta charset="utf-8" /><script src="/bench/dist/page.js"></script>' },
  });
  const folder = makeProfile();
  const browser = await launch(engine, { profile: folder });
  try {
    const page = await browser.newPage(`${server.origin}/bench.html`);
    const results = await measure(page, suite, folder);
    const picture = await page.evaluate((rows) => bench.plot(rows), results.rows);
    const isKept = !options.quick && !options.profile && options.only === "";
    if (picture !== undefined) await draw(results, picture, isKept ? "bench/results" : "bench/dist");
    if (isKept) await keep(results);
  } finally {
    await browser.close();
    await server.close();
  }
}

async function measure(page: Page, suite: string, folder: string): Promise<Results> {
  const before = { load: loadavg()[0] ?? 0, calibration: await page.evaluate(() => bench.calibrate()) };
  const names = await page.evaluate((name, scale) => bench.open(name, scale), suite, { quick: options.quick, rounds });
  const rows: Row[] = [];
  for (const [place, name] of names.entries()) {
    if (!name.includes(options.only)) continue;
    const work = (): Promise<readonly Row[]> => page.evaluate((at) => bench.run(at), place);
    const found = options.profile ? await profile(folder, name, work) : await work();
    for (const row of found) print(row);
    rows.push(...found);
  }
  const calibration = await page.evaluate(() => bench.calibrate());
  const machine: Machine = {
    ...here(),
    browser: await page.evaluate(() => /(?:Headless)?(?:Chrome|Firefox)\/[\d.]+/u.exec(navigator.userAgent)?.[0] ?? ""),
    load: [before.load, loadavg()[0] ?? 0],
    calibration: [before.calibration, calibration],
  };
  console.log(`calibration ${machine.calibration.join(" → ")}, load ${machine.load.join(" → ")}`);
  return { suite, command: `npm run bench -- ${suite}`, machine, rows };
}

function print({ figure, unit, ours, bound, peers, limits, ratios, spread }: Row): void {
  const range = (name: string): string => (spread[name] ?? []).join("…");
  const others = Object.entries({ ...(bound !== null && { bound }), ...peers, ...limits });
  console.log(`${figure}: ${ours} ${unit}`);
  for (const [name, value] of others) console.log(`    × ${ratios[name] ?? 0} of ${name}: ${value} (${range(name)})`);
}

function nameOf({ suite }: Results): string {
  return engine === "chromium" ? suite : `${suite}.${engine}`;
}

/** The picture is kept beside the figures; of a quick look it lies where the bundles do. */
async function draw(results: Results, picture: string, folder: string): Promise<void> {
  const file = join(ROOT, folder, `${nameOf(results)}.png`);
  await mkdir(join(ROOT, folder), { recursive: true });
  await writeFile(file, Buffer.from(picture.slice(picture.indexOf(",") + 1), "base64"));
  console.log(`drawn: ${file}`);
}

async function keep(results: Results): Promise<void> {
  const folder = join(ROOT, "bench/results");
  const name = nameOf(results);
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, `${name}.json`), `${JSON.stringify(results, null, 2)}\n`);
  await report();
}
