/** Where a run was made, and how its figures are told and kept. */
import { mkdir, writeFile } from "node:fs/promises";
import { cpus, loadavg, release, totalmem, type } from "node:os";
import { join } from "node:path";
import { ROOT } from "../test/harness/servers.ts";
import type { Engine } from "../test/harness/engines.ts";
import { report } from "./report.ts";
import type { Machine, Results, Row } from "./row.ts";

/** What a run was asked for. */
export interface Options {
  /** Small sizes, and nothing is kept. */
  readonly quick: boolean;
  readonly rounds: number;
  /** Only benchmarks whose name has this part. */
  readonly only: string;
  /** Shows where time goes, and keeps nothing. */
  readonly profile: boolean;
  /** Says nothing of single figures. Default false. */
  readonly quiet?: boolean;
}

/** Where a suite runs. */
export type Where = Engine | "node";

export interface Before {
  readonly load: number;
  readonly calibration: number;
}

export const loadNow = (): number => loadavg()[0] ?? 0;

export function machineOf(browser: string, before: Before, calibration: number): Machine {
  return {
    date: new Date().toISOString().slice(0, 10),
    cpu: cpus()[0]?.model ?? "",
    cores: cpus().length,
    memory: `${(totalmem() / 2 ** 30).toFixed(0)} GB`,
    system: `${type()} ${release()}`,
    browser,
    load: [before.load, loadNow()],
    calibration: [before.calibration, calibration],
  };
}

export function print({ figure, unit, ours, bound, claimed, peers, limits, ratios, spread }: Row): void {
  const range = (name: string): string => (spread[name] ?? []).join("…");
  const others = Object.entries({ ...(bound !== null && { bound }), ...peers, ...limits });
  console.log(`${figure}: ${String(ours)} ${unit}`);
  for (const [name, value] of others) {
    const shown = name === "bound" && claimed ? "what is claimed" : name;
    console.log(`    × ${String(ratios[name] ?? 0)} of ${shown}: ${String(value)} (${range(name)})`);
  }
}

/** A part of a run, or a quick one, is only looked at. */
export function isKept({ quick, profile, only }: Options): boolean {
  return !quick && !profile && only === "";
}

/** Under `bench/results`: the suite, and where it ran unless that was Chromium or the suite has one place only. */
export function nameOf(suite: string, where: Where): string {
  return where === "chromium" ? suite : `${suite}.${where}`;
}

export async function keep(results: Results, name: string): Promise<void> {
  const folder = join(ROOT, "bench/results");
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, `${name}.json`), `${JSON.stringify(results, null, 2)}\n`);
  await report();
}

/** The picture is kept beside the figures; of a quick look it lies where the bundles do. */
export async function draw(name: string, picture: string, isForKeeps: boolean): Promise<void> {
  const folder = join(ROOT, isForKeeps ? "bench/results" : "bench/dist");
  const file = join(folder, `${name}.png`);
  await mkdir(folder, { recursive: true });
  await writeFile(file, Buffer.from(picture.slice(picture.indexOf(",") + 1), "base64"));
  console.log(`drawn: ${file}`);
}
