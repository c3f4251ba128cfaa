/**
 * The suite `core`, in Node: what a task, a node and a message take of a processor in the core alone, over a journal in
 * memory, with few and with many at once. It is time of the processor and not of the clock, so that others on the machine
 * count little. The bound is the JSON of the same events, read and written once: what any journal of text needs.
 */
import type { CoreCommand, CoreEvent } from "../src/core/runtime.ts";
import { createMailDesk } from "../src/workers/mail.ts";
import { complete, createTask, registerWorkflow, serve, startExecution } from "../test/node/core/things.ts";
import { openCore, type Core } from "./document/core.ts";
import { chain, localChain } from "./page/shapes.ts";
import { demand, run, type Benchmark, type Contender, type Scale } from "./page/measure.ts";
import type { Row } from "./row.ts";

/** Does so much work, and says how many pieces that was. */
type Work = (core: Core) => Promise<number>;

interface Kind {
  readonly name: string;
  readonly unit: string;
  readonly over: string;
  readonly counts: readonly number[];
  readonly prepare: (core: Core) => Promise<void>;
  readonly work: (count: number, total: number) => Work;
}

const INPUT = JSON.stringify({ url: "https://example.org/a/path", n: 42, flags: ["a", "b"] });
const SLOTS = 100_000;

const KINDS: readonly Kind[] = [
  {
    name: "a task",
    unit: "µs",
    over: "tasks at once",
    counts: [100, 1_000, 10_000],
    prepare: (core) => core.submit(...serve("a", { slots: SLOTS })),
    work: tasks,
  },
  {
    name: "a node of the host",
    unit: "µs",
    over: "runs at once",
    counts: [1, 10, 100],
    prepare: (core) => core.submit(registerWorkflow(localChain("local", 100))),
    work: (runs, total) => chains("local", runs, 100, total),
  },
  {
    name: "a node of an agent",
    unit: "µs",
    over: "runs at once",
    counts: [10, 100, 1_000],
    prepare: prepareAgent,
    work: (runs, total) => chains("chain", runs, 10, total),
  },
  {
    name: "a message",
    unit: "µs",
    over: "messages at once",
    counts: [100, 1_000, 10_000],
    prepare: () => Promise.resolve(),
    work: messages,
  },
];

export interface CoreScale extends Scale {
  /** Pieces in a round. Default 20,000, of a quick look 2,000. */
  readonly total?: number;
}

export async function measureCore(
  { quick, rounds, total = quick ? 2_000 : 20_000 }: CoreScale,
  isWanted: (name: string) => boolean,
): Promise<Row[]> {
  const rows: Row[] = [];
  for (const kind of KINDS)
    for (const count of quick ? kind.counts.slice(0, 2) : kind.counts) {
      const benchmark = of(kind, count, Math.max(total, count));
      if (isWanted(benchmark.name)) rows.push(...(await run(benchmark, rounds)));
    }
  return rows;
}

function of({ name, unit, over, prepare, work }: Kind, count: number, total: number): Benchmark {
  const figure = `${name}, ${count.toLocaleString("en")} ${over}`;
  return {
    name: figure,
    figures: [{ figure, unit, better: "less", place: { line: name, over, count } }],
    open: async () => {
      const texts: string[] = [];
      const core = await openCore({ onText: (text) => texts.push(text) });
      await prepare(core);
      const some = work(count, total);
      let pieces = 0;
      const ours: Contender["round"] = async () => {
        texts.length = 0;
        const before = used();
        pieces = await some(core);
        return [(used() - before) / pieces];
      };
      const bound: Contender["round"] = () => {
        const before = used();
        let length = 0;
        for (const text of texts) length += JSON.stringify(JSON.parse(text)).length;
        demand(length === texts.reduce((sum, text) => sum + text.length, 0), "the same text");
        return Promise.resolve([(used() - before) / pieces]);
      };
      return [
        { name: "ours", role: "ours", round: ours },
        { name: "bound", role: "bound", round: bound },
      ];
    },
  };
}

/** Microseconds of the processor that this process has used. */
function used(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

let last = 0;

/** Created, assigned and completed, so many at a time. */
function tasks(count: number, total: number): Work {
  return async (core) => {
    const completed = (): number => core.engine.state.agents.agents.get("a@1.0.0")?.statistics.completed ?? 0;
    const before = completed();
    for (let done = 0; done < total; done += count) {
      const ids = Array.from({ length: count }, () => `t${String(++last)}`);
      await core.submit(...ids.map((id) => createTask(id, { input: INPUT })));
      await core.submit(...ids.map((id) => complete(id, 1, INPUT)));
    }
    demand(completed() - before === total, "all tasks");
    return total;
  };
}

/** Its worker answers as soon as it is durable that it has a task. */
async function prepareAgent(core: Core): Promise<void> {
  core.follow((events) => {
    const answers = events.flatMap((event): CoreCommand[] =>
      event.type === "task.assigned" ? [complete(event.data.id, event.data.attempt, INPUT)] : [],
    );
    if (answers.length > 0) core.engine.submit(answers);
  });
  await core.submit(...serve("a", { capabilities: ["echo"], slots: SLOTS }), registerWorkflow(chain("chain", 10)));
}

function chains(workflow: string, runs: number, length: number, total: number): Work {
  const listening = new WeakMap<Core, Set<(events: readonly CoreEvent[]) => void>>();
  return async (core) => {
    const listeners = listening.get(core) ?? listen(core);
    listening.set(core, listeners);
    let nodes = 0;
    while (nodes < total) nodes += await once(core, listeners, workflow, runs);
    demand(nodes % (runs * length) === 0, "all nodes");
    return nodes;
  };
}

function listen(core: Core): Set<(events: readonly CoreEvent[]) => void> {
  const listeners = new Set<(events: readonly CoreEvent[]) => void>();
  core.follow((events) => {
    for (const listener of listeners) listener(events);
  });
  return listeners;
}

function once(
  core: Core,
  listeners: Set<(events: readonly CoreEvent[]) => void>,
  workflow: string,
  runs: number,
): Promise<number> {
  return new Promise((resolve, reject) => {
    let [ended, nodes] = [0, 0];
    const listener = (events: readonly CoreEvent[]): void => {
      for (const { type } of events)
        if (type === "node.completed") nodes++;
        else if (type === "execution.completed") ended++;
      if (ended < runs) return;
      listeners.delete(listener);
      resolve(nodes);
    };
    listeners.add(listener);
    const starts = Array.from({ length: runs }, () => startExecution(`r${String(++last)}`, workflow));
    core.submit(...starts).catch(reject);
  });
}

/** Sent, delivered and acknowledged, so many at a time in one mailbox. */
function messages(count: number, total: number): Work {
  return async (core) => {
    const desk = createMailDesk(core.engine);
    core.follow((events) => {
      desk.follow(events);
    });
    let done = 0;
    while (done < total) {
      const recipient = `box${String(++last)}`;
      await core.submit(...Array.from({ length: count }, (_, at) => mail(recipient, at)));
      for (let taken = 0; taken < count;) {
        const found = await desk.take("page:bench", { recipient, max: 1_000, wait: 0 });
        demand(found.length > 0, "messages");
        await core.submit(
          ...found.map(({ id, delivery }): CoreCommand => ({
            type: "mail.ack",
            data: { id, delivery, consumer: "page:bench" },
          })),
        );
        taken += found.length;
      }
      demand(!core.engine.state.mail.boxes.has(recipient), "every message answered");
      done += count;
    }
    return done;
  };
}

function mail(recipient: string, at: number): CoreCommand {
  const payload = JSON.stringify({ status: "ok", at });
  const about = { id: `${recipient}-${String(at)}`, type: "status_update", sender: "bench" };
  return { type: "mail.send", data: { ...about, recipient, payload } };
}
