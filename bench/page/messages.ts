/** How many durable messages pass from page to page: each is sent, delivered, and acknowledged, and all three are on disk. */
import { connect, type Runtime } from "../../src/index.ts";
import type { Place } from "../row.ts";
import { demand, rate, type Benchmark, type Scale } from "./measure.ts";

const WINDOW = 512;
/** A mailbox holds 10,000: senders that are quicker than those who take wait here. */
const AHEAD = 4_000;
const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 2));

export function messages({ quick }: Scale): Benchmark[] {
  const count = quick ? 4_000 : 20_000;
  const one = (name: string, work: (runtime: Runtime, box: string) => Promise<number>, place?: Place): Benchmark => ({
    name,
    figures: [{ figure: name, unit: "messages/s", better: "more", ...(place && { place }) }],
    open: async () => {
      const runtime = await connect({ name: `messages-${String(Date.now())}`, assets: "/bench/dist/host/" });
      let round = 0;
      return [{ name: "ours", role: "ours", round: rate(() => work(runtime, `box${String(++round)}`)) }];
    },
  });
  return [
    one("messages, each sent and acknowledged by itself, 512 in flight", (runtime, box) => singly(runtime, box, count)),
    ...[10, 100, 1_000].map((size) =>
      one(
        `messages, sent and acknowledged ${size.toLocaleString("en")} together`,
        (runtime, box) => together(runtime, box, Math.min(count, 40 * size), size),
        { line: "messages", over: "messages together", count: size },
      ),
    ),
  ];
}

function post(runtime: Runtime, recipient: string, n: number): Promise<string> {
  return runtime.sendMessage({ type: "status_update", recipient, payload: { status: "ok", n } });
}

/** Senders that each wait until their message is durable, and takers that each answer what they have before they go on. */
async function singly(runtime: Runtime, box: string, count: number): Promise<number> {
  let [sent, done, sum] = [0, 0, 0];
  const send = async (): Promise<void> => {
    while (sent < count)
      if (sent - done > AHEAD) await pause();
      else await post(runtime, box, sent++);
  };
  const receive = async (): Promise<void> => {
    while (done < count) {
      const [message] = await runtime.messages.take(box, { wait: 200 });
      if (!message) continue;
      await message.ack();
      done++;
      sum += (message.payload as { n: number }).n;
    }
  };
  await Promise.all(Array.from({ length: WINDOW / 2 }, () => [send(), receive()]).flat());
  demand(done === count && sum === (count * (count - 1)) / 2, "every message once");
  return count;
}

async function together(runtime: Runtime, box: string, count: number, size: number): Promise<number> {
  let [sum, taken] = [0, 0];
  const send = async (): Promise<void> => {
    for (let from = 0; from < count; from += size) {
      while (from - taken > AHEAD) await pause();
      await Promise.all(Array.from({ length: size }, (_, at) => post(runtime, box, from + at)));
    }
  };
  const receive = async (): Promise<void> => {
    while (taken < count) {
      const some = await runtime.messages.take(box, { max: size, wait: 200 });
      await Promise.all(some.map((message) => message.ack()));
      taken += some.length;
      for (const { payload } of some) sum += (payload as { n: number }).n;
    }
  };
  await Promise.all([send(), receive()]);
  demand(sum === (count * (count - 1)) / 2, "every message once");
  return count;
}
