/** Long outputs and checkpoints at the host's door: stored first, named then, in order, and let go of. */
import assert from "node:assert/strict";
import { afterEach, describe, it } from "node:test";
import { RuntimeError } from "../../../src/core/errors.ts";
import { isSpilled, MAX_INLINE, referTo, refsOf } from "../../../src/core/payload/reference.ts";
import type { BlobRef } from "../../../src/core/plugin.ts";
import { createPost } from "../../../src/workers/agent-post.ts";
import { closeSites, openRunning, openSite, type Site } from "./site.ts";

const of = { task: "t1", attempt: 1 };
const bytesOf = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));
const long = (letter: string): string => letter.repeat(MAX_INLINE);

async function valueOf(site: Site, text: string): Promise<unknown> {
  const [{ blob, size } = { blob: "", size: 0 }] = refsOf(text);
  const bytes = await site.ask({ type: "blob.read", blob, offset: 0, size });
  return JSON.parse(new TextDecoder().decode(bytes as Uint8Array));
}

function longest({ batches }: Site): number {
  return Math.max(...batches.flatMap(({ text, archive }) => [text.length, ...archive.map((row) => row.text.length)]));
}

function checkpointsOf(site: Site): string[] {
  return site.events().flatMap(({ type, data }) => (type === "task.checkpointed" ? [data.value] : []));
}

describe("long payloads", { timeout: 60_000 }, () => {
  afterEach(closeSites);

  it("of 5 MB that a task puts out are a blob of the task, and the records stay small", async () => {
    const site = await openRunning("t1");
    const output = "ü".repeat(2_500_000);
    site.worker({ kind: "done", ...of, output: bytesOf(output) });
    assert.deepEqual(await site.ordered("settled"), { kind: "settled", ...of });
    const task = await site.archived("t1");
    assert.equal(task?.status, "completed");
    assert.equal(await valueOf(site, task.output ?? ""), output);
    assert.deepEqual(await site.owners(), ["t1"]);
    assert.ok(longest(site) < 2_048, `a record has ${String(longest(site))} characters`);
  });

  it("of a page are named by reference, and only if they are its own", async () => {
    const site = await openRunning("t1");
    const input = long("i");
    const ref = (await site.ask({ type: "blob.write", owner: "t2", bytes: bytesOf(input) })) as BlobRef;
    const create = (id: string, text: string): Promise<readonly unknown[]> =>
      site
        .command({ type: "task.create", data: { id, capabilities: ["work"], input: text } })
        .then(({ refused }) => refused.map(([, { code }]) => code));
    assert.deepEqual(await create("t3", referTo(ref)), ["json/invalid"]);
    assert.deepEqual(await create("t2", `[${referTo(ref)}]`), ["json/invalid"]);
    assert.deepEqual(await create("t2", referTo({ ...ref, size: 2 ** 40 })), ["json/invalid"]);
    assert.deepEqual(await create("t2", "\u001a"), ["json/invalid"]);
    assert.deepEqual(await create("t2", referTo(ref)), []);
    const run = await site.ordered("run");
    assert.deepEqual([run.task, run.input], ["t2", bytesOf(input)]);
    site.worker({ kind: "read", call: 8, ...of, ref }); // another task's
    assert.equal((await site.ordered("answer")).error?.code, "blob/unknown");
  });

  it("keep checkpoints in their order, however long one takes, and only the last one's bytes", async () => {
    const site = await openRunning("t1");
    const checkpoint = (call: number, value: unknown): object => ({ kind: "checkpoint", call, ...of, value });
    site.worker(checkpoint(1, bytesOf(long("a"))), checkpoint(2, '"short"'), checkpoint(3, bytesOf(long("b"))));
    site.worker(checkpoint(4, bytesOf(long("c"))));
    for (const call of [1, 2, 3, 4]) assert.deepEqual(await site.ordered("answer"), { kind: "answer", call });
    const kept = checkpointsOf(site);
    assert.deepEqual(kept.map(isSpilled), [true, false, true, true]);
    await site.until(async () => (await site.owners()).length === 1);
    assert.equal(await valueOf(site, kept[3] ?? ""), long("c"));
    site.worker({ kind: "done", ...of, output: "1" });
    await site.ordered("settled");
    await site.until(async () => (await site.owners()).length === 0);
    assert.ok(longest(site) < 2_048);
  });

  it("give the last checkpoint to the next attempt, under another host, which lets it go at the end", async () => {
    const first = await openRunning("t1");
    first.worker({ kind: "checkpoint", call: 1, ...of, value: bytesOf(long("a")) });
    await first.ordered("answer");
    await first.stop();
    const site = await openSite({ disk: first.disk, sent: 2 });
    site.join();
    const run = await site.ordered("run");
    assert.deepEqual([run.task, run.attempt], ["t1", 2]);
    assert.deepEqual(run.checkpoint, bytesOf(long("a")));
    site.worker({ kind: "done", task: "t1", attempt: 2, output: "1" });
    await site.ordered("settled");
    await site.until(async () => (await site.owners()).length === 0);
  });

  it("are kept when a checkpoint is said again, as over another port", async () => {
    const site = await openRunning("t1");
    for (let round = 1; round <= 2; round++) {
      site.worker({ kind: "checkpoint", call: 1, ...of, value: bytesOf(long("a")) });
      await site.ordered("answer");
      assert.equal(await valueOf(site, checkpointsOf(site).at(-1) ?? ""), long("a"));
    }
    site.worker({ kind: "checkpoint", call: 2, ...of, value: '"short"' });
    await site.ordered("answer");
    const [first, second] = checkpointsOf(site);
    assert.equal(first, second);
    await site.until(async () => (await site.owners()).length === 0);
  });

  it("leave nothing behind of an attempt that ended while its checkpoint was stored", async () => {
    let store: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (store = resolve));
    let puts = 0;
    const site = await openRunning("t1", {
      blobs: ({ put }) => ({
        put: async (...blob) => {
          puts++;
          await held;
          return put(...blob);
        },
      }),
    });
    site.worker({ kind: "checkpoint", call: 1, ...of, value: bytesOf(long("a")) });
    await site.until(() => puts === 1);
    await site.command({ type: "task.cancel", data: { id: "t1" } });
    await site.ordered("abort");
    store();
    await site.ordered("answer");
    await site.until(async () => (await site.owners()).length === 0);
    assert.deepEqual(checkpointsOf(site), []);
  });

  it("fail the attempt when there is no space for its output, and tell of a checkpoint", async () => {
    const full = (): Promise<never> => Promise.reject(new RuntimeError("journal/quota"));
    const site = await openRunning("t1", { blobs: () => ({ put: full }) });
    site.worker({ kind: "checkpoint", call: 1, ...of, value: bytesOf(long("a")) });
    assert.equal((await site.ordered("answer")).error?.code, "journal/quota");
    site.worker({ kind: "done", ...of, output: bytesOf(long("a")) });
    const run = await site.ordered("run");
    assert.equal(run.attempt, 2); // there may be space by then
    const [failed] = site.events().flatMap(({ type, data }) => (type === "task.failed" ? [data.error.code] : []));
    assert.equal(failed, "journal/quota");
  });

  it("are refused when they are no payloads: the attempt fails for good, and nothing is stored", async () => {
    const nested = new TextEncoder().encode("[".repeat(65) + "]".repeat(65));
    for (const output of [nested, new Uint8Array([0x22, 0xff, 0x22]), new TextEncoder().encode("[\u001a]")]) {
      const site = await openRunning("t1");
      site.worker({ kind: "done", ...of, output });
      await site.ordered("settled");
      const task = await site.archived("t1");
      assert.deepEqual([task?.status, task?.error?.code, task?.attempt], ["failed", "agent/output-invalid", 1]);
      assert.deepEqual(await site.owners(), []);
    }
  });

  it("end a worker that makes up a reference in a text", async () => {
    const site = await openRunning("t1");
    site.worker({ kind: "done", ...of, output: referTo({ blob: "t1:x", size: 1 }) });
    assert.deepEqual((await site.frame("kill")).link, "l1");
  });

  it("that are short after all stay in the record", async () => {
    const site = await openRunning("t1");
    site.worker({ kind: "done", ...of, output: bytesOf("short") });
    await site.ordered("settled");
    assert.equal((await site.archived("t1"))?.output, '"short"');
    assert.deepEqual(await site.owners(), []);
  });

  it("don't count as silence while they are stored", async () => {
    const site = await openSite({
      blobs: ({ put }) => ({
        put: async (...blob) => {
          await new Promise((resolve) => setTimeout(resolve, 100)); // many times the idle time
          return put(...blob);
        },
      }),
    });
    await site.command(
      { type: "agent.register", data: { name: "a", version: "1.0.0", capabilities: ["work"], url: "/a.js" } },
      { type: "task.create", data: { id: "t1", capabilities: ["work"], input: "1", timeouts: { idle: 10 } } },
    );
    site.join();
    await site.ordered("run");
    site.worker({ kind: "beat", ...of }, { kind: "done", ...of, output: bytesOf(long("a")) });
    await site.ordered("settled");
    assert.equal((await site.archived("t1"))?.status, "completed");
  });
});

describe("an agent's post", () => {
  it("hands long texts over, keeps them for another port, and leaves short ones texts", async () => {
    const post = createPost();
    const seen: unknown[][] = [];
    const moved: ArrayBuffer[] = [];
    const port = (): MessagePort =>
      ({
        close: () => undefined,
        postMessage(frames: unknown[], buffers: ArrayBuffer[]) {
          seen.push(structuredClone<unknown[]>(frames, { transfer: buffers }));
          moved.push(...buffers);
        },
      }) as unknown as MessagePort;
    const frames = [
      { kind: "done", ...of, output: JSON.stringify(long("ü")) },
      { kind: "checkpoint", call: 1, ...of, value: JSON.stringify(long("c")) },
      { kind: "done", ...of, output: JSON.stringify("x".repeat(MAX_INLINE - 2)) },
      { kind: "beat", ...of },
    ] as const;
    for (let round = 1; round <= 2; round++) {
      post.attach(port());
      for (const frame of frames) post.send(frame);
      await new Promise((resolve) => setTimeout(resolve));
    }
    assert.deepEqual(
      moved.map(({ byteLength }) => byteLength),
      [0, 0, 0, 0],
    );
    for (const posted of seen)
      assert.deepEqual(posted, [
        { ...frames[0], output: bytesOf(long("ü")) },
        { ...frames[1], value: bytesOf(long("c")) },
        frames[2],
        frames[3],
      ]);
  });
});
