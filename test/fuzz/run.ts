/**
 * `npm run fuzz [-- --door NAME,… --inputs N --seed S --jobs J]`: hostile inputs at every door, each door on a thread of
 * its own. The last line gives the totals; the exit code is 1 when something was found.
 *   --tape T           plays what a finding was shown with, with --door
 *   --episode N        plays one episode of a seed, with --door: for an input that never ended
 */
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { DOORS } from "./doors/index.ts";
import type { Report, Totals } from "./play.ts";
import type { Order } from "./thread.ts";
import { runDoor } from "./watch.ts";

const { values } = parseArgs({
  options: {
    door: { type: "string" },
    inputs: { type: "string", default: "1000000" },
    seed: { type: "string" },
    jobs: { type: "string" },
    tape: { type: "string" },
    episode: { type: "string" },
  },
});

const names = values.door?.split(",");
const chosen = DOORS.filter(({ door }) => names?.includes(door.name) ?? true);
const unknown = names?.find((name) => !DOORS.some(({ door }) => door.name === name));
if (unknown !== undefined) {
  console.log(`There is no door "${unknown}": ${DOORS.map(({ door }) => door.name).join(", ")}`);
  process.exit(2);
}
const seed = Number(values.seed ?? Date.now() % 1_000_000_000);
const inputs = Number(values.inputs);
const jobs = Number(values.jobs ?? Math.min(2, availableParallelism()));
const started = performance.now();
console.log(`seed ${seed}`);

const parts = chosen.reduce((sum, { part }) => sum + part, 0);
const orders = chosen
  .map(({ door, part }): Order => {
    const order = { door: door.name, seed, inputs: Math.ceil((inputs * part) / parts) };
    if (values.tape !== undefined) return { ...order, tape: values.tape };
    return values.episode === undefined ? order : { ...order, episode: Number(values.episode) };
  })
  .reverse(); // the last ones take longest for an input
const all: Totals[] = [];
await Promise.all(Array.from({ length: jobs }, work));
finish(all);

async function work(): Promise<void> {
  for (let order = orders.shift(); order; order = orders.shift()) {
    const totals = await runDoor(order);
    all.push(totals);
    tell(totals);
  }
}

function tell({ door, inputs: count, milliseconds, slowest, outcomes, reports }: Totals): void {
  const [taken = 0] = Object.entries(outcomes).flatMap(([code, times]) => (code.includes("/") ? [] : [times]));
  const seconds = (milliseconds / 1_000).toFixed(1);
  const refusals = Object.keys(outcomes).filter((code) => code.includes("/"));
  console.log(
    `${door}: ${count} inputs in ${seconds} s, ${Math.round((100 * taken) / Math.max(1, count))} % taken, refused for ${refusals.length} reasons, the slowest took ${Math.round(slowest)} ms`,
  );
  for (const report of reports) tellReport(report);
}

function tellReport({ door, kind, message, inputs: shown, tape, episode }: Report): void {
  console.log(`\nFOUND at ${door}: ${kind}\n${message}`);
  for (const input of shown) console.log(`  > ${input.replaceAll("\n", "\n    ")}`);
  const how = tape === undefined ? `--seed ${seed} --episode ${episode ?? 0}` : `--tape ${tape === "" ? "0" : tape}`;
  console.log(`again: npm run fuzz -- --door ${door} ${how}\n`);
}

function finish(totals: readonly Totals[]): void {
  const count = totals.reduce((sum, one) => sum + one.inputs, 0);
  const found = totals.reduce((sum, { reports }) => sum + reports.length, 0);
  const slowest = Math.max(0, ...totals.map((one) => one.slowest));
  const seconds = ((performance.now() - started) / 1_000).toFixed(0);
  console.log(
    `fuzz: ${count} inputs at ${totals.length} doors in ${seconds} s, seed ${seed}, the slowest took ${Math.round(slowest)} ms, ${found} findings`,
  );
  process.exitCode = found > 0 ? 1 : 0;
}
