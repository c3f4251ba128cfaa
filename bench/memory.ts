/**
 * The suite `memory`, in Chromium: what a host and its page hold, by the heaps that the DevTools protocol tells
 * (`Runtime.getHeapUsage` after `HeapProfiler.collectGarbage`), and what all processes of the browser have in memory.
 */
import { memoryOf } from "../test/harness/processes.ts";
import { commandOf, finish, nameOfBrowser, withPage, type BenchPage } from "./browsing.ts";
import { attach, targetsOf, type Send } from "./devtools.ts";
import { loadNow, machineOf, print, type Options } from "./machine.ts";
import { calibrate } from "./page/measure.ts";
import type { Bench } from "./page/index.ts";
import type { Place, Row } from "./row.ts";
import { rowOf } from "./rows.ts";

declare const bench: Bench; // in the page

const ROUNDS = 3;
/** What was posted is held for some milliseconds, 4 kB for each message. */
const CALM = 1_000;
const MEGABYTE = 1_024 * 1_024;
const TASKS = [1_000, 10_000, 100_000];
const AGENTS = [100, 1_000, 10_000];

/** Used bytes of the heaps, with what they hold outside. */
interface Heaps {
  readonly host: number;
  readonly page: number;
}

interface Figure {
  readonly unit: string;
  readonly place?: Place;
  readonly values: number[];
}

type Figures = Map<string, Figure>;

export async function runMemory(options: Options): Promise<void> {
  const before = { load: loadNow(), calibration: calibrate() };
  const figures: Figures = new Map();
  const sizes = (all: readonly number[]): readonly number[] => (options.quick ? all.slice(0, 2) : all);
  for (let round = 0; round < (options.quick ? 1 : ROUNDS); round++) {
    await withPage("chromium", false, (one) => weighTasks(one, sizes(TASKS), figures));
    for (const count of sizes(AGENTS))
      for (const linked of [true, false])
        await withPage("chromium", false, (one) => weighAgents(one, { count, linked }, figures));
  }
  const found: Row[] = [...figures].map(([figure, { unit, values, place }]) =>
    rowOf({ figure, unit, better: "less", values, ...(place && { place }) }),
  );
  const rows = found.filter(({ figure }) => figure.includes(options.only));
  for (const row of rows) print(row);
  await withPage("chromium", false, async ({ page }) => {
    const machine = machineOf(await nameOfBrowser(page), before, calibrate());
    await finish(
      page,
      { suite: "memory", command: commandOf("memory", "chromium"), machine, rows },
      "chromium",
      options,
    );
  });
}

/** An empty page, a host with nothing in it, and tasks that wait. */
async function weighTasks(
  { page, folder, browser }: BenchPage,
  sizes: readonly number[],
  figures: Figures,
): Promise<void> {
  const { send, close } = await attach(folder);
  const alone = memoryOf(browser.pid ?? 0);
  await page.evaluate((name) => bench.weight.open(name), "weight");
  const empty = await heapsOf(send);
  const whole = memoryOf(browser.pid ?? 0);
  add(figures, "a host with nothing in it, heap", "MB", empty.host / MEGABYTE);
  add(figures, "its page, heap, with the benchmarks", "MB", empty.page / MEGABYTE);
  if (alone > 0)
    add(figures, "what a first connect adds to all processes of the browser", "MB", (whole - alone) / MEGABYTE);
  for (const count of sizes) {
    await page.evaluate((tasks) => bench.weight.queue(tasks), count);
    const { host, page: shown } = await heapsOf(send);
    const name = (who: string): string => `per queued task, in the ${who}, ${count.toLocaleString("en")} queued`;
    const place = (who: string): Place => ({ line: `per queued task, in the ${who}`, over: "queued tasks", count });
    add(figures, name("host"), "bytes", (host - empty.host) / count, place("host"));
    add(figures, name("page"), "bytes", (shown - empty.page) / count, place("page"));
  }
  close();
}

async function weighAgents(
  { page, folder }: BenchPage,
  { count, linked }: { readonly count: number; readonly linked: boolean },
  figures: Figures,
): Promise<void> {
  const { send, close } = await attach(folder);
  await page.evaluate((name) => bench.weight.open(name), "weight");
  const empty = await heapsOf(send);
  await page.evaluate((...given) => bench.weight.crowd(...given), count, linked);
  const { host } = await heapsOf(send);
  const line = linked ? "per idle agent, in the host" : "per agent without a worker, in the host";
  const name = `${line}, ${count.toLocaleString("en")} agents`;
  add(figures, name, "bytes", (host - empty.host) / count, { line, over: "agents", count });
  close();
}

function add(figures: Figures, name: string, unit: string, value: number, place?: Place): void {
  const figure = figures.get(name) ?? { unit, values: [], ...(place && { place }) };
  figure.values.push(value);
  figures.set(name, figure);
}

interface Usage {
  readonly usedSize: number;
  readonly embedderHeapUsedSize?: number;
  readonly backingStorageSize?: number;
}

async function heapsOf(send: Send): Promise<Heaps> {
  await new Promise((resolve) => setTimeout(resolve, CALM));
  const targets = await targetsOf(send);
  const sizeOf = async (type: string): Promise<number> => {
    const target = targets.find((one) => one.type === type);
    if (!target) throw new Error(`there is no ${type}`);
    const attached = await send("Target.attachToTarget", { targetId: target.targetId, flatten: true });
    const { sessionId } = attached as { sessionId: string };
    await send("HeapProfiler.enable", {}, sessionId);
    for (let time = 0; time < 2; time++) await send("HeapProfiler.collectGarbage", {}, sessionId);
    const usage = (await send("Runtime.getHeapUsage", {}, sessionId)) as Usage;
    await send("Target.detachFromTarget", { sessionId });
    const { usedSize, embedderHeapUsedSize = 0, backingStorageSize = 0 } = usage;
    return usedSize + embedderHeapUsedSize + backingStorageSize;
  };
  return { host: await sizeOf("shared_worker"), page: await sizeOf("page") };
}
