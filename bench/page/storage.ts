/** What it costs to keep events, and to come back to a long history. */
import { connect, type Runtime } from "../../src/index.ts";
import { createIndexedDbJournal } from "../../src/plugins/journals/indexeddb.ts";
import { demand, rate, type Benchmark, type Contender, type Scale } from "./measure.ts";
import { complete } from "./ours.ts";
import { localChain } from "./shapes.ts";
import { commit, openDatabase, settled } from "./raw.ts";

const ASSETS = "/bench/dist/host/";
const LENGTH = 100;

export function storage({ quick }: Scale): Benchmark[] {
  const histories = quick ? [10_000, 50_000] : [10_000, 100_000, 1_000_000];
  return [
    ...[1, 100, 1_000].map((size) => appends(size, quick ? 20 : 200)),
    ...histories.map((events) => recovery(events, quick ? 2 : 5)),
  ];
}

/** Batches one after the other, each durable before the next. */
function appends(size: number, batches: number): Benchmark {
  const name = `durable events, batches of ${size.toLocaleString("en")}`;
  return {
    name,
    figures: [
      {
        figure: name,
        unit: "events/s",
        better: "more",
        place: { line: "durable events", over: "events in a batch", count: size },
      },
    ],
    open: async () => {
      const database = `appends-${String(size)}-${String(Date.now())}`;
      const journal = createIndexedDbJournal({ name: database });
      let { head } = await journal.open();
      const raw = await openDatabase(`raw-${database}`, ["batches"]);
      let written = 0;
      const append = async (): Promise<number> => {
        for (let at = 0; at < batches; at++) {
          const [from, to] = [head + 1, head + size];
          await journal.append(head, { from, to, at: Date.now(), text: eventsOf(from, size), archive: [] });
          head = to;
        }
        return batches * size;
      };
      const put = async (): Promise<number> => {
        for (let at = 0; at < batches; at++) {
          const text = eventsOf(written + 1, size);
          await commit(raw, "batches", (written += size), { text });
        }
        return batches * size;
      };
      return [
        { name: "ours", role: "ours", round: rate(append) },
        { name: "bound", role: "bound", round: rate(put) },
      ];
    },
  };
}

/** The events of a node, as the host's journal has them. */
function eventsOf(from: number, size: number): string {
  const events = Array.from({ length: size }, (_, at) => {
    const data = {
      id: `r${String(from)}/n${String(at)}`,
      run: `r${String(from)}`,
      node: `n${String(at)}`,
      output: "{}",
    };
    return { type: "node.completed", data, at: 1_700_000_000_000 + from + at };
  });
  return JSON.stringify(events);
}

/** From `connect` to a page that has everything, with the host in this page: no other one has it open. */
function recovery(events: number, times: number): Benchmark {
  const name = `connect, with ${events.toLocaleString("en")} events before`;
  return {
    name,
    figures: [
      {
        figure: name,
        unit: "ms",
        better: "less",
        place: { line: "connect", over: "events before", count: events },
      },
    ],
    open: async () => {
      const database = `recovery-${String(events)}-${String(Date.now())}`;
      const head = await live(database, events);
      const ours = async (): Promise<void> => {
        const runtime = await open(database);
        demand(runtime.store.getState().seq > head, "the whole history");
        await runtime.close();
      };
      const contenders: Contender[] = [
        { name: "ours", role: "ours", round: meanOf(times, ours) },
        { name: "the same, without a history", role: "limit", round: meanOf(times, openNew) },
      ];
      if (events <= 100_000)
        contenders.push({
          name: "every event read and parsed, no snapshot",
          role: "limit",
          round: await readAll(events, times),
        });
      return contenders;
    },
  };
}

const open = (name: string): Promise<Runtime> => connect({ name, assets: ASSETS, modes: ["page"] });
let opened = 0;

async function openNew(): Promise<void> {
  const runtime = await open(`empty-${String(Date.now())}-${String(++opened)}`);
  await runtime.close();
}

/** A life of runs; gives back the number of the last event. */
async function live(database: string, events: number): Promise<number> {
  const runtime = await open(database);
  runtime.registerWorkflow(localChain("chain", LENGTH));
  await runtime.settled("chain");
  const seq = (): number => runtime.store.getState().seq;
  while (seq() < events) {
    const runs = Math.min(500, Math.ceil((events - seq()) / (2 * LENGTH)));
    await complete(runtime, runs);
  }
  const head = seq();
  await runtime.close();
  return head;
}

function meanOf(times: number, work: () => Promise<void>): Contender["round"] {
  return async () => {
    const started = performance.now();
    for (let at = 0; at < times; at++) await work();
    return [(performance.now() - started) / times];
  };
}

/** What recovery would be without snapshots, at the least: the same number of events in batches of 1,000. */
async function readAll(events: number, times: number): Promise<Contender["round"]> {
  const database = await openDatabase(`history-${String(events)}-${String(Date.now())}`, ["batches"]);
  for (let from = 1; from <= events; from += 1_000) await commit(database, "batches", from, eventsOf(from, 1_000));
  return meanOf(times, async () => {
    const texts = (await settled(database.transaction("batches").objectStore("batches").getAll())) as string[];
    const count = texts.reduce((sum, text) => sum + (JSON.parse(text) as unknown[]).length, 0);
    demand(count === events, "all events");
  });
}
