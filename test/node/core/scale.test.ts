/** Ten thousand nodes and a hundred thousand events: they end, leave nothing, and cost the same from first to last. */
import { takeWork } from "./counting.ts"; // before the core
import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import type { CoreEvent } from "../../../src/core/runtime.ts";
import type { WorkflowInput } from "../../../src/core/workflows/definition.ts";
import { validate } from "../../../src/core/workflows/proofs/validate.ts";
import { createMemoryJournal } from "../../../src/plugins/journals/memory.ts";
import { createChance } from "./chance.ts";
import { createDisk, type Disk } from "./disk.ts";
import { completes, createTime, openHost, type Host } from "./kit.ts";
import { rowOf, task, work } from "./runs.ts";
import { join, registerAgent, registerWorkflow, startExecution } from "./things.ts";

type Node = WorkflowInput["nodes"][number];

/** So many events are looked at together. */
const LAP = 5_000;

interface Lap {
  /** Blocks of the core that ran, and characters that were written, for each of its events. */
  readonly work: number;
  readonly written: number;
}

interface Ran {
  readonly disk: Disk;
  readonly host: Host;
  readonly laps: readonly Lap[];
  readonly events: number;
  /** Events by type. */
  readonly counts: ReadonlyMap<string, number>;
  /** What the state weighed before the run began, in the middle, and after its end, in characters. */
  readonly weights: readonly number[];
}

/** Runs the workflow to its end; after so many events another host takes over. */
async function run(workflow: WorkflowInput, input: unknown, takeOverAfter: number): Promise<Ran> {
  const [disk, time, chance] = [createDisk(), createTime(), createChance(1)];
  const laps: Lap[] = [];
  const counts = new Map<string, number>();
  let [events, lapped, written] = [0, 0, 0];
  const onCommitted = (batch: readonly CoreEvent[]): void => {
    for (const { type } of batch) counts.set(type, (counts.get(type) ?? 0) + 1);
    const { text = "", archive = [] } = disk.history.at(-1) ?? {};
    written += text.length + archive.reduce((sum, row) => sum + row.text.length, 0);
    events += batch.length;
    const size = events - lapped;
    if (size < LAP) return;
    laps.push({ work: takeWork() / size, written: written / size });
    [lapped, written] = [events, 0];
  };
  const open = async (link: string): Promise<Host> => {
    const host = await openHost({ disk, time, chance, behaviour: completes(1), onCommitted, plain: true });
    assert.deepEqual(await host.submit(registerAgent("a", { slots: 100 }), join(link, "a")), []);
    takeWork(); // what it took to come so far belongs to no lap
    [lapped, written] = [events, 0];
    return host;
  };
  const weigh = ({ engine }: Host): number => engine.capture().text.length;
  const first = await open("first");
  assert.deepEqual(await first.submit(registerWorkflow(workflow)), []);
  const weights = [weigh(first)];
  assert.deepEqual(await first.submit(startExecution("e", workflow.id, input)), []);
  while (events < takeOverAfter) await first.advance(1);
  weights.push(weigh(first));
  first.kill();
  const host = await open("second");
  await host.finish();
  return { disk, host, laps, events, counts, weights: [...weights, weigh(host)] };
}

/** What every long run has to show in the end. */
async function checkRun(context: TestContext, { disk, host, laps, events, weights }: Ran): Promise<void> {
  assert.equal(host.stopped(), undefined);
  assert.equal(rowOf(disk, "e")?.status, "completed");
  const { tasks, workflows } = host.engine.state;
  for (const table of [tasks.tasks, workflows.executions, workflows.nodes, workflows.items])
    assert.equal(table.size, 0);
  const { snapshot, head } = await createMemoryJournal({ disk: disk.memory }).open();
  assert.ok(snapshot && snapshot.seq > head / 2, "it kept snapshots");
  const [before = 0, middle = 0, after = 0] = weights;
  assert.ok(after - before < 2_000, `${String(after - before)} characters are left in the state`);
  const told = [
    `${String(events)} events`,
    `state ${weights.map((one) => `${(one / 1_000).toFixed(1)} k`).join(" → ")}`,
  ];
  assert.ok(middle > after);
  for (const what of ["work", "written"] as const) {
    const values = laps.map((lap) => lap[what]);
    const part = Math.floor(values.length / 3);
    const [early, late] = [middleOf(values.slice(0, part)), middleOf(values.slice(-part))];
    told.push(`${what} for an event: ${early.toFixed(0)} → ${late.toFixed(0)}`);
    assert.ok(late < early * 1.25, told.at(-1));
  }
  context.diagnostic(told.join("; "));
}

/** The middle one: now and then a snapshot is written, and the first lap sees the start. */
const middleOf = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;

const ROWS = 100;
const COLUMNS = 100;
const idOf = (row: number, column: number): string => `n${String(row)}_${String(column % COLUMNS)}`;

/**
 * A hundred rows of a hundred nodes; one of the edges of each decision is dead in every run. All of a row but the joins
 * waits for a map of the row above, the slowest there, so that no part of the graph runs ahead and late events are of
 * the same kinds as early ones.
 */
function lattice(): WorkflowInput {
  const kinds: Readonly<Record<number, (id: string) => Node>> = {
    3: (id) => ({ id, type: "join", mode: "any" }),
    5: (id) => ({ id, type: "decision" }),
    8: (id) => ({ id, type: "map", items: "input.items", concurrency: 4, task: work }),
  };
  const places = Array.from(
    { length: ROWS * COLUMNS },
    (_none, at) => [Math.floor(at / COLUMNS), at % COLUMNS] as const,
  );
  const nodes = places.map(([row, column]) => {
    const id = idOf(row, column);
    const isLast = row + 1 === ROWS && column % 10 === 5; // a decision has to lead somewhere
    return (isLast ? undefined : kinds[column % 10])?.(id) ?? task(id, "input.n");
  });
  const edges = places
    .filter(([row]) => row + 1 < ROWS)
    .flatMap(([row, column]) => {
      const edge = (from: number, to = column) => ({ from: idOf(row, from), to: idOf(row + 1, to) });
      const own = edge(column);
      const map = column - (column % 10) + 8;
      if (column === map) return [own];
      if (column % 10 !== 5) return [own, edge(map)];
      return [{ ...own, when: "input.n > 1" }, edge(column, column + 1), edge(map)];
    });
  return { id: "lattice", nodes, edges, output: "'done'" };
}

describe("a large run", () => {
  it("of 10,000 nodes and more than 100,000 events ends, and its last event costs no more than its first", async (context) => {
    const workflow = lattice();
    const started = performance.now();
    assert.deepEqual(
      validate(workflow).filter(({ severity }) => severity === "error"),
      [],
    );
    context.diagnostic(`validated in ${(performance.now() - started).toFixed(0)} ms`);
    const items = Array.from({ length: 20 }, (_none, at) => at);
    const ran = await run(workflow, { n: 1, items }, 50_000);
    assert.ok(ran.events > 100_000, String(ran.events));
    assert.equal(ran.counts.get("node.started"), ROWS * COLUMNS);
    assert.equal(ran.counts.get("node.completed"), ROWS * COLUMNS);
    assert.equal(ran.counts.get("task.completed"), 70 * ROWS + 10 + 10 * ROWS * items.length);
    await checkRun(context, ran);
  });

  it("of thousands of iterations ends, and its last one costs no more than its first", async (context) => {
    const body: NonNullable<Extract<Node, { type: "loop" }>["body"]> = {
      variables: { seen: { type: "number", merge: "sum" } },
      nodes: [
        task("one", "index", { set: { seen: "1" } }),
        { id: "way", type: "decision" },
        task("two", "vars.seen"),
        task("never"),
        { id: "met", type: "join" },
      ],
      edges: [
        { from: "one", to: "way" },
        { from: "way", to: "two" },
        { from: "way", to: "never", when: "index < 0" },
        { from: "two", to: "met" },
        { from: "never", to: "met" },
      ],
      output: "nodes.two.output",
    };
    const nodes: Node[] = [{ id: "rounds", type: "loop", while: "index < 3000", max: 3_000, body }];
    const ran = await run({ id: "rounds", nodes }, {}, 25_000);
    assert.equal(ran.counts.get("loop.turned"), 3_000);
    assert.equal(ran.counts.get("task.completed"), 6_000);
    await checkRun(context, ran);
  });
});
