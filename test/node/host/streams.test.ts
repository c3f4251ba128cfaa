import assert from "node:assert/strict";
import { describe, it, mock } from "node:test";
import { createStreams, type Streams } from "../../../src/workers/streams.ts";

const of = { task: "t", attempt: 1, channel: "stream" } as const;
const ask = { task: "t", channel: "stream", attempt: 0, reader: "r" } as const;
const texts = (from: number, count: number): string[] => Array.from({ length: count }, (_, at) => String(from + at));

function open(live = true): { streams: Streams; pass: (ms: number) => void; close: () => void } {
  mock.timers.enable({ apis: ["setTimeout", "Date"] });
  const streams = createStreams(() => live, Date.now);
  return {
    streams,
    pass: (ms) => {
      mock.timers.tick(ms);
    },
    close() {
      streams.stop();
      mock.timers.reset();
    },
  };
}

describe("streams", () => {
  it("give what is there, then what comes, then the end", async () => {
    const { streams, close } = open();
    streams.write(of, 0, texts(0, 3));
    assert.deepEqual(await streams.read({ ...ask, from: 0 }), {
      attempt: 1,
      from: 0,
      items: ["0", "1", "2"],
      ended: false,
    });
    const next = streams.read({ ...ask, from: 3 });
    streams.write(of, 3, ["3"]);
    assert.deepEqual((await next).items, ["3"]);
    const last = streams.read({ ...ask, from: 4 });
    streams.end("t");
    assert.deepEqual(await last, { attempt: 1, from: 4, items: [], ended: true });
    assert.deepEqual((await streams.read({ ...ask, from: 2 })).items, ["2", "3"]); // late, but not too late
    close();
  });

  it("take what is sent twice once, and a new attempt from its beginning", async () => {
    const { streams, close } = open();
    streams.write(of, 0, texts(0, 4));
    streams.write(of, 2, texts(2, 4));
    assert.deepEqual((await streams.read({ ...ask, from: 0 })).items, texts(0, 6));
    streams.write({ ...of, attempt: 2 }, 0, ["10"]);
    streams.write(of, 6, ["6"]); // of the attempt before
    const page = await streams.read({ ...ask, attempt: 1, from: 5 });
    assert.deepEqual(page, { attempt: 2, from: 0, items: ["10"], ended: false });
    close();
  });

  it("keep the newest when there is too much, and show the gap", async () => {
    const { streams, close } = open();
    streams.write(of, 0, texts(0, 15_000));
    const page = await streams.read({ ...ask, from: 0 });
    assert.equal(page.from, 5_000);
    assert.equal(page.items[0], "5000");
    streams.write(of, 15_000, ["x".repeat(1 << 20), "y".repeat(1 << 19), "z"]);
    assert.equal((await streams.read({ ...ask, from: 0 })).from, 15_001);
    close();
  });

  it("of many tasks keep no more than there is room for: the silent ones lose theirs first", async () => {
    const { streams, close } = open();
    const large = "x".repeat(1 << 18);
    for (let at = 0; at < 40; at++) streams.write({ ...of, task: `t${String(at)}` }, 0, [large, large, large, large]);
    const kept = async (task: number): Promise<boolean> => {
      const query = { ...ask, task: `t${String(task)}` };
      streams.write({ ...of, task: query.task }, 4, ["new"]);
      return (await streams.read({ ...query, from: 0 })).from < 4;
    };
    assert.deepEqual([await kept(39), await kept(20), await kept(0)], [true, true, false]);
    close();
  });

  it("hold a quick agent back for a reader that is there, and not for one that has gone", async () => {
    const { streams, pass, close } = open();
    const went: number[] = [];
    const write = (at: number, count: number): void => {
      streams.write(of, at, texts(at, count), () => went.push(at));
    };
    write(0, 5_000);
    assert.deepEqual(went, [0], "nobody reads: nothing waits");
    const { items } = await streams.read({ ...ask, from: 0 });
    assert.equal(items.length, 2_000);
    write(5_000, 1);
    assert.deepEqual(went, [0], "the reader is 5,001 behind");
    await streams.read({ ...ask, from: 2_000 });
    assert.deepEqual(went, [0]);
    await streams.read({ ...ask, from: 4_000 + 1 });
    assert.deepEqual(went, [0, 5_000], "it has caught up");
    write(5_001, 2_000);
    assert.deepEqual(went, [0, 5_000]);
    pass(1_000);
    assert.deepEqual(went, [0, 5_000, 5_001], "one that sleeps holds it up no longer");
    pass(2_001);
    write(7_001, 2_000);
    assert.deepEqual(went, [0, 5_000, 5_001, 7_001], "one that is gone does not count");
    close();
  });

  it("count a reader that waited long for the first item", async () => {
    const { streams, pass, close } = open();
    const first = streams.read({ ...ask, from: 0 });
    pass(5_000);
    void streams.read({ ...ask, reader: "other", from: 0 }); // those who haven't asked for long are looked at now
    let went = false;
    streams.write(of, 0, texts(0, 3_000), () => (went = true));
    assert.equal((await first).items.length, 2_000);
    assert.equal(went, false);
    close();
  });

  it("answer in time when nothing comes, and at once about what nobody knows", async () => {
    const { streams, pass, close } = open();
    const held = streams.read({ ...ask, from: 0 });
    pass(20_000);
    assert.deepEqual(await held, { attempt: 0, from: 0, items: [], ended: false });
    close();
    const gone = open(false);
    assert.equal((await gone.streams.read({ ...ask, from: 7 })).ended, true);
    gone.close();
  });

  it("forget what ended a minute ago, and the oldest of many", async () => {
    const { streams, pass, close } = open(false);
    for (let at = 0; at < 300; at++) {
      streams.write({ ...of, task: `t${String(at)}` }, 0, ["1"]);
      streams.end(`t${String(at)}`);
    }
    assert.equal((await streams.read({ ...ask, task: "t0", from: 0 })).items.length, 0);
    assert.equal((await streams.read({ ...ask, task: "t299", from: 0 })).items.length, 1);
    pass(60_001);
    assert.equal((await streams.read({ ...ask, task: "t299", from: 0 })).items.length, 0);
    close();
  });
});
