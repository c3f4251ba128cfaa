/**
 * How fast the engine is alone, over the memory journal, in time of the processor. Not a test: run it with
 * `node test/node/core/speed.ts [tasks|chain|local|graph|memory] [--no-journal] [--audited]`, with `--cpu-prof` for a profile, `--expose-gc` for `memory`.
 */
import { openEngine, type Engine } from "../../../src/core/engine.ts";
import type { CoreCommand, CoreEvent } from "../../../src/core/runtime.ts";
import type { Journal } from "../../../src/core/ports.ts";
import { createMemoryDisk } from "../../../src/plugins/journals/memory-disk.ts";
import { createMemoryJournal } from "../../../src/plugins/journals/memory.ts";
import { withAudit } from "../../../src/workers/audit.ts";
import { createChance } from "./chance.ts";
import { complete, createTask, join, registerAgent, registerWorkflow, startExecution } from "./things.ts";

/** Milliseconds of the processor that this process has used: the machine may be busy with others. */
const used = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
};

const durable = (engine: Engine): Promise<void> =>
  new Promise((resolve) => {
    engine.whenDurable(() => {
      resolve();
    });
  });

/** A journal that keeps nothing, to see the engine without any. */
const nowhere: Journal = {
  ...createMemoryJournal(),
  audit: { end: () => Promise.resolve(undefined), read: () => Promise.resolve([]) },
  open: () => Promise.resolve({ databaseId: "", epoch: 1, head: 0, snapshot: undefined }),
  append: () => Promise.resolve(),
  read: async function* () {
    // nothing was kept
  },
  compact: () => Promise.resolve(),
};
const chosen = process.argv.slice(2);
const withoutJournal = chosen.includes("--no-journal");
const audited = chosen.includes("--audited");

async function open(onCommitted?: (events: readonly CoreEvent[]) => void): Promise<Engine> {
  let count = 0;
  const journal = withoutJournal ? nowhere : createMemoryJournal({ disk: createMemoryDisk() });
  const engine = await openEngine({
    journal: audited ? withAudit(journal) : journal,
    audited,
    clock: Date.now,
    random: createChance(1).next,
    ids: () => String(++count),
    defer: (flush) => {
      setImmediate(flush);
    },
    ...(onCommitted && {
      onCommitted: (_batch, events) => {
        onCommitted(events);
      },
    }),
  });
  engine.submit([registerAgent("a", { slots: 10_000 }), join("l", "a")]);
  await durable(engine);
  return engine;
}

const input = JSON.stringify({ url: "https://example.org/a/path", n: 42, flags: ["a", "b"] });

/** Created, assigned and completed, a thousand at a time. */
async function tasks(rounds = 200, size = 1_000): Promise<string> {
  const engine = await open();
  const turns = Array.from({ length: rounds }, (_none, round) =>
    Array.from({ length: size }, (_one, at) => `task-${String(round)}-${String(at)}`),
  );
  const asked = turns.map((ids) => ids.map((id) => createTask(id, { input }))); // checking them is the door's work
  const watch = createWatch();
  for (const [round, ids] of turns.entries()) {
    engine.submit(asked[round] ?? []);
    await durable(engine);
    engine.submit(ids.map((id) => complete(id, 1, input)));
    await durable(engine);
    if (round % 10 === 9) watch.lap(10 * size);
  }
  return watch.read("tasks");
}

/** Workflows of one chain each, whose tasks are completed as soon as they are committed. */
const chain = (): Promise<string> => chains({ type: "task", capabilities: ["work"] }, "nodes of a chain");

/** The same of nodes that the host runs itself. */
const local = (): Promise<string> => chains({ type: "parallel" }, "nodes of the host");

type Kind = { readonly type: "task"; readonly capabilities: string[] } | { readonly type: "parallel" };

async function chains(kind: Kind, what: string, length = 100, runs = 100, rounds = 10): Promise<string> {
  const nodes = Array.from({ length }, (_none, at) => ({ id: `n${String(at)}`, ...kind }));
  const edges = nodes.slice(1).map(({ id }, at) => ({ from: `n${String(at)}`, to: id }));
  let ended: () => void = () => undefined;
  let left = 0;
  const engine: Engine = await open((events) => {
    const answers: CoreCommand[] = [];
    for (const { type, data } of events) {
      if (type === "task.assigned") answers.push(complete(data.id, data.attempt, input));
      if (type === "execution.completed" && --left === 0) ended();
    }
    if (answers.length > 0) engine.submit(answers);
  });
  engine.submit([registerWorkflow({ id: "chain", nodes, edges })]);
  const watch = createWatch();
  for (let round = 0; round < rounds; round++) {
    left = runs;
    const done = new Promise<void>((resolve) => (ended = resolve));
    engine.submit(
      Array.from({ length: runs }, (_none, at) => startExecution(`e${String(round)}-${String(at)}`, "chain")),
    );
    await done;
    watch.lap(length * runs);
  }
  return watch.read(what);
}

/** A graph of ten thousand nodes: registered, and started. */
async function graph(size = 10_000): Promise<string> {
  const lines: string[] = [];
  for (const [shape, edges] of [
    ["wide", []],
    ["deep", Array.from({ length: size - 1 }, (_none, at) => ({ from: `n${String(at)}`, to: `n${String(at + 1)}` }))],
    [
      "layered",
      Array.from({ length: size - 100 }, (_none, at) => ({ from: `n${String(at)}`, to: `n${String(at + 100)}` })),
    ],
  ] as const) {
    const nodes = Array.from({ length: size }, (_none, at) => ({
      id: `n${String(at)}`,
      type: "task" as const,
      capabilities: ["work"],
    }));
    const engine = await open();
    for (const turn of [1, 2]) {
      const command = registerWorkflow({ id: `${shape}${String(turn)}`, nodes, edges: [...edges] });
      const from = used();
      engine.submit([command]);
      const registered = used();
      engine.submit([startExecution(`e${String(turn)}`, `${shape}${String(turn)}`)]);
      const started = used();
      await durable(engine);
      const text = `registered in ${(registered - from).toFixed(0)} ms, started in ${(started - registered).toFixed(1)} ms`;
      lines.push(`${shape}: ${text}, durable ${(used() - started).toFixed(0)} ms later`);
    }
  }
  return lines.join("\n");
}

/** What a queued task weighs in the live state. */
async function memory(count = 100_000): Promise<string> {
  const { gc } = globalThis as { readonly gc?: () => void };
  if (!gc) return "memory: run with --expose-gc";
  const engine = await open();
  engine.submit([{ type: "agent.unregister", data: { id: "a" } }]);
  await durable(engine);
  engine.stop();
  const { createStage } = await import("../../../src/core/stage.ts");
  const { createScheduler } = await import("../../../src/core/scheduling/scheduler.ts");
  const { applyEvent } = await import("../../../src/core/runtime.ts");
  gc();
  const before = process.memoryUsage().heapUsed;
  const stage = createStage();
  const scheduler = createScheduler(stage.state);
  for (let at = 0; at < count; at++) {
    const text = JSON.stringify([
      { ...createTask(`task-${String(at)}`, { input: `${input.slice(0, -1)},"at":${String(at)}}` }), at },
    ]);
    const [event] = JSON.parse(text.replace("task.create", "task.created")) as CoreEvent[];
    if (event?.type !== "task.created") continue;
    applyEvent(stage.state, { ...event, data: { ...event.data, priority: "medium" } });
    scheduler.follow(event.type, event.data);
  }
  gc();
  const bytes = (process.memoryUsage().heapUsed - before) / count;
  return `memory: ${bytes.toFixed(0)} bytes per queued task (${String(stage.state.tasks.tasks.size)}, its input ${String(input.length + 12)} characters)`;
}

/** Times laps; others on the machine make some of them slow, so the middle and the best are told. */
function createWatch(): { lap(count: number): void; read(what: string): string } {
  const each: number[] = [];
  let from = used();
  return {
    lap(count) {
      const now = used();
      each.push((now - from) / count);
      from = now;
    },
    read(what) {
      const sorted = each.toSorted((a, b) => a - b);
      const rate = (milliseconds = 0): string => Math.round(1_000 / milliseconds).toLocaleString("en");
      return `${rate(sorted[sorted.length >> 1])} ${what} per second, at best ${rate(sorted[0])}`;
    },
  };
}

const checks = { tasks, chain, local, graph, memory };
const names = chosen.filter((name) => !name.startsWith("--"));
for (const [name, check] of Object.entries(checks))
  if (names.length === 0 || names.includes(name)) console.log(await check());
