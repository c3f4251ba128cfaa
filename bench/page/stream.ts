/** How much of what happens reaches a page, and whether the page still draws. */
import { connect, type Runtime } from "../../src/index.ts";
import { demand, rate, type Benchmark, type Scale } from "./measure.ts";
import { complete } from "./ours.ts";
import { localChain } from "./shapes.ts";

const ASSETS = "/bench/dist/host/";
const LENGTH = 100;
/** Events a second while frames are counted. */
const LOAD = 5_000;
const FRAMES_FOR = 3_000;

export function stream({ quick }: Scale): Benchmark[] {
  return [
    items(1_000, 1), // a worker that says 10,000 things in a second is taken for one that floods its host
    items(quick ? 2_000 : 5_000, 10),
    items(quick ? 5_000 : 10_000, 100), // as many as are kept until somebody reads
    events("events to a page that listens", quick ? 50 : 300),
    frames(),
  ];
}

const connectTo = (name: string): Promise<Runtime> =>
  connect({ name: `${name}-${String(Date.now())}`, assets: ASSETS });

/** From an agent's `stream` to the page's `for await`. */
function items(count: number, together: number): Benchmark {
  const name = `streamed items, ${together === 1 ? "each awaited" : `${String(together)} together`}`;
  return {
    name,
    figures: [
      {
        figure: name,
        unit: "items/s",
        better: "more",
        place: { line: "streamed items", over: "items together", count: together },
      },
    ],
    open: async () => {
      const runtime = await connectTo("stream");
      await runtime.registerAgent({ url: "/bench/dist/stream-agent.js", trusted: true });
      const ours = async (): Promise<number> => {
        const task = runtime.createTask({ capabilities: ["stream"], input: { count, together } });
        let [seen, sum] = [0, 0];
        for await (const { value } of runtime.stream(task)) {
          seen++;
          sum += (value as { n: number }).n;
        }
        demand(seen === count && sum === (count * (count - 1)) / 2, "every item once");
        return seen;
      };
      return [
        { name: "ours", role: "ours", round: rate(ours) },
        { name: `postMessage of ${String(together)}`, role: "limit", round: rate(() => posted(count, together)) },
      ];
    },
  };
}

/** The same numbers by a bare worker. */
async function posted(count: number, together: number): Promise<number> {
  const worker = new Worker("/bench/dist/raw-stream.js");
  const seen = await new Promise<number>((resolve) => {
    let [done, sum] = [0, 0];
    worker.onmessage = ({ data }: MessageEvent<readonly { readonly n: number }[]>) => {
      done += data.length;
      for (const { n } of data) sum += n;
      if (done < count) return;
      demand(sum === (count * (count - 1)) / 2, "every item once");
      resolve(done);
    };
    worker.postMessage({ count, together });
  });
  worker.terminate();
  return seen;
}

/** Everything that the host's own nodes do, told to a page that wants every event, beside one that wants only the ends. */
function events(name: string, runs: number): Benchmark {
  return {
    name,
    figures: [{ figure: name, unit: "events/s", better: "more" }],
    open: async () => {
      const runtime = await connectTo("events");
      runtime.registerWorkflow(localChain("chain", LENGTH));
      await runtime.settled("chain");
      const all = async (): Promise<number> => {
        const from = runtime.store.getState().seq;
        let seen = 0;
        const stop = runtime.on("event", () => seen++);
        await complete(runtime, runs);
        stop();
        demand(seen >= runtime.store.getState().seq - from - 1, "every event");
        return seen;
      };
      const ends = async (): Promise<number> => {
        const from = runtime.store.getState().seq;
        await complete(runtime, runs);
        return runtime.store.getState().seq - from;
      };
      return [
        { name: "ours", role: "ours", round: rate(all) },
        { name: "the same events, only the ends listened to", role: "limit", round: rate(ends) },
      ];
    },
  };
}

/** Frames that a page draws, and how long it is busy at most, while so many events a second come in. */
function frames(): Benchmark {
  const name = `a page that listens to ${LOAD.toLocaleString("en")} events a second`;
  return {
    name,
    figures: [
      { figure: `${name}, frames`, unit: "frames/s", better: "more" },
      { figure: `${name}, longest time between two frames`, unit: "ms", better: "less" },
    ],
    open: async () => {
      const runtime = await connectTo("frames");
      runtime.registerWorkflow(localChain("chain", LENGTH));
      await runtime.settled("chain");
      const before = runtime.store.getState().seq;
      await complete(runtime, 1);
      const perRun = runtime.store.getState().seq - before;
      const pace = (1_000 * perRun) / LOAD;
      const loaded = async (): Promise<readonly number[]> => {
        let seen = 0;
        const stop = runtime.on("event", () => seen++);
        const timer = setInterval(() => runtime.startWorkflow("chain", null), pace);
        const found = await countFrames();
        clearInterval(timer);
        demand(seen > (0.7 * LOAD * FRAMES_FOR) / 1_000, `so many events, not ${String(seen)}`);
        stop();
        return found;
      };
      return [
        { name: "ours", role: "ours", round: loaded },
        { name: "a page with nothing to do", role: "limit", round: countFrames },
      ];
    },
  };
}

async function countFrames(): Promise<readonly number[]> {
  const began = performance.now();
  let [last, longest, count] = [began, 0, 0];
  while (last - began < FRAMES_FOR) {
    await new Promise(requestAnimationFrame);
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
    count++;
  }
  return [(count * 1_000) / (last - began), longest];
}
