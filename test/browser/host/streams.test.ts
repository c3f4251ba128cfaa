/** What an agent streams, read by several pages at their own pace. */
import { expect } from "chai";
import type { Runtime, StreamItem } from "../../../src/client/runtime.ts";
import { AGENT, until } from "../../fixtures/host/page.ts";
import { ownRuntimes } from "../../fixtures/host/suite.ts";

const numberOf = ({ value }: StreamItem): number => (value as { n: number }).n;

async function readAll(items: AsyncIterable<StreamItem>): Promise<StreamItem[]> {
  const all: StreamItem[] = [];
  for await (const item of items) all.push(item);
  return all;
}

describe("streams", () => {
  const suite = ownRuntimes("streams");
  const { connect } = suite;
  const start = (runtime: Runtime, value: number, ms?: number): string =>
    runtime.createTask({ capabilities: ["work"], input: { do: "stream", value, ms }, retry: { base: 1 } });

  it("reach every page whole and in order, however quick the agent is", async () => {
    const [first, second] = [await connect(), await connect()];
    await first.registerAgent({ url: AGENT });
    const count = 9_000; // more than a window, fewer than what is kept: a machine may be slow to ask
    const task = start(first, count);
    await first.settled(task);
    const [one, two] = await Promise.all([readAll(first.stream(task)), readAll(second.stream(task))]);
    for (const read of [one, two]) expect(read.map(numberOf)).to.deep.equal(Array.from({ length: count }, (_, n) => n));
    expect(await first.result(task)).to.equal(count);
  }).timeout(60_000);

  it("go on from an offset, and anew with a new attempt", async () => {
    const [runtime, other] = [await connect(), await connect()];
    await runtime.registerAgent({ url: AGENT });
    const task = start(runtime, 1_000, 300);
    await runtime.settled(task);
    const seen: StreamItem[] = [];
    for await (const item of runtime.stream(task)) {
      seen.push(item);
      if (seen.length === 200) break;
    }
    const rest = await readAll(other.stream(task, { attempt: 1, from: 200 }));
    const [next] = rest;
    expect([next?.attempt, next?.offset]).to.deep.equal([1, 200]);
    const second = rest.filter(({ attempt }) => attempt === 2);
    expect(second.map(numberOf)).to.deep.equal(Array.from({ length: 1_000 }, (_, n) => n));
    expect(second.map(({ offset }) => offset)).to.deep.equal(second.map(numberOf));
  });

  it("keep log lines for late readers, and progress for a page that comes later", async () => {
    const runtime = await connect();
    await runtime.registerAgent({ url: AGENT });
    const task = start(runtime, 10, 1_500);
    await until(runtime, ({ progress }) => progress.get(task)?.note === "half");
    const late = await connect();
    await until(late, ({ progress }) => progress.get(task)?.fraction === 0.5);
    const lines = await readAll(late.logs(task));
    expect(lines.map(({ value }) => value)).to.deep.include({ level: "info", message: "half of 10" });
    expect(await readAll(late.stream("nobody-knows-it"))).to.deep.equal([]);
  });
});
