/** Suites that need no browser: the scheduler alone, and the document's claims of the core. */
import { measureCore } from "./core.ts";
import { findEngine } from "../test/harness/engines.ts";
import { engineDocument } from "./document/engine.ts";
import { commandOf, drawRows } from "./browsing.ts";
import { isKept, keep, loadNow, machineOf, nameOf, print, type Options } from "./machine.ts";
import { measureMatching } from "./matching.ts";
import { calibrate, run } from "./page/measure.ts";
import type { Row } from "./row.ts";

export function runMatching(options: Options): Promise<void> {
  return runHere("matching", "matching", "npm run bench -- matching", options, () =>
    Promise.resolve(measureMatching(options.rounds, options.quick)),
  );
}

export function runCore(options: Options): Promise<void> {
  return runHere("core", "core", "npm run bench -- core", options, () =>
    measureCore(options, (name) => name.includes(options.only)),
  );
}

export function runDocument(options: Options): Promise<void> {
  const { rounds, only } = options;
  return runHere("document", nameOf("document", "node"), commandOf("document", "node"), options, async () => {
    const rows: Row[] = [];
    for (const benchmark of engineDocument(options))
      if (benchmark.name.includes(only)) rows.push(...(await run(benchmark, rounds)));
    return rows;
  });
}

async function runHere(
  suite: string,
  name: string,
  command: string,
  options: Options,
  work: () => Promise<readonly Row[]>,
): Promise<void> {
  const before = { load: loadNow(), calibration: calibrate() };
  const rows = (await work()).filter(({ figure }) => figure.includes(options.only));
  for (const row of rows) print(row);
  const machine = machineOf(`Node ${process.version}`, before, calibrate());
  if (name === suite && findEngine("chromium")) await drawRows(name, rows, options);
  if (isKept(options)) await keep({ suite, command, machine, rows }, name);
}
