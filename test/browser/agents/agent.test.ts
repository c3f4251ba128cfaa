import { expect } from "chai";
import { spawnCell, type Cell } from "../../../src/client/spawner.ts";
import type { ErrorData } from "../../../src/core/errors.ts";
import { fakeHost, TASK, textOf, type FakeHost } from "../../fixtures/agents/host.ts";

const url = new URL("../../fixtures/agents/conduct.agent.ts", import.meta.url).href;
const id = { task: TASK, attempt: 1 };

describe("an agent's worker", () => {
  let cell: Cell;
  let host: FakeHost;

  beforeEach(async () => {
    cell = await spawnCell({ url, trusted: true, cellURL: "unused" });
    host = fakeHost(cell.serve());
  });
  afterEach(() => {
    cell.kill();
    host.close();
    expect(host.faults, "posts against the protocol").to.deep.equal([]);
  });

  const failure = async (conduct: string, value?: unknown): Promise<ErrorData> => {
    host.run(conduct, value);
    const frame = await host.next("failed");
    expect(frame).to.include(id);
    return frame.error;
  };
  const done = async (): Promise<unknown> => JSON.parse(textOf((await host.next("done")).output));

  it("describes itself", () => {
    expect(cell.description).to.deep.equal({
      name: "conduct",
      version: "1.2.3",
      capabilities: ["conduct", "other"],
      description: "Behaves as it is told.",
    });
    expect(cell.integrity).to.equal("");
  });

  it("runs an attempt and posts its output", async () => {
    host.run("echo", { a: [1, null, "ü"] });
    const frame = await host.next("done");
    expect(frame).to.deep.equal({ kind: "done", ...id, output: '{"a":[1,null,"ü"]}' });
  });

  it("gives the run its task, its checkpoint and a real signal", async () => {
    host.run("context", undefined, { attempt: 3, checkpoint: '{"step":2}' });
    expect(await done()).to.deep.equal({
      task: { id: TASK, attempt: 3, idempotencyKey: TASK, capability: "conduct" },
      checkpointed: { step: 2 },
      isSignal: true,
      polluted: false,
    });
  });

  it("refuses an input for good, with every issue and its path", async () => {
    const error = await failure("no such thing");
    expect(error).to.include({ code: "agent/input-invalid", retryable: false });
    const issues = [
      { path: "do.0.deep", message: "no such conduct" },
      { path: "", message: "and no path" },
    ];
    expect(error.detail).to.deep.equal({ issues });
  });

  it("refuses an input that is no JSON, and one that its schema cannot bear", async () => {
    host.send({ kind: "run", ...id, capability: "c", input: "{nonsense" });
    expect((await host.next("failed")).error).to.include({ code: "agent/input-invalid", retryable: false });
    host.send({ kind: "settled", ...id });
    const error = await failure("explode");
    expect(error).to.include({ code: "agent/input-invalid", retryable: false });
    expect(error).to.include({ name: "RangeError", message: "the schema itself" });
  });

  const outputs = {
    cyclic: "agent/output-invalid",
    bottomless: "agent/output-invalid",
    huge: "agent/output-too-large",
    bigint: "agent/output-invalid",
    function: "agent/output-invalid",
    bytes: "agent/output-invalid",
    symbol: "agent/output-invalid",
    toJSON: "agent/output-invalid",
    refused: "agent/output-invalid",
  };
  for (const [kind, code] of Object.entries(outputs)) {
    it(`refuses an output that is ${kind}`, async () => {
      const error = await failure("output", kind);
      expect(error.code).to.equal(code);
      expect(error.retryable).not.to.equal(false);
      if (kind === "refused") expect(error.detail).to.deep.equal({ issues: [{ path: "a.1", message: "refused" }] });
    });
  }

  it("makes null of no output, and keeps prototype keys plain data", async () => {
    host.run("output", "nothing");
    expect((await host.next("done")).output).to.equal("null");
    host.send({ kind: "settled", ...id });
    host.run("output", "polluting");
    expect((await host.next("done")).output).to.equal(
      '{"__proto__":{"polluted":1},"constructor":{"prototype":{"p":1}}}',
    );
    expect("polluted" in {}).to.equal(false);
  });

  const thrown: Record<string, Partial<ErrorData>> = {
    string: { name: "Error", message: "just a text", code: "agent/failed" },
    null: { message: "null", code: "agent/failed" },
    undefined: { message: "undefined", code: "agent/failed" },
    number: { message: "42", code: "agent/failed" },
    symbol: { message: "Symbol(odd)", code: "agent/failed" },
    function: { code: "agent/failed" },
    object: { message: "an object", code: "custom/code", detail: { at: 3 } },
    frozen: { message: '{"why":"frozen"}', code: "agent/failed" },
    bare: { message: "{}", code: "agent/failed" },
    error: { name: "TypeError", message: "wrong type", code: "agent/failed" },
    runtime: { name: "RuntimeError", code: "blob/range", detail: { offset: 9 } },
    lasting: { message: "for good", retryable: false },
    detail: { name: "RuntimeError", code: "unknown" },
    functions: { code: "unknown", detail: { kept: true } },
    polluting: { code: "unknown" },
    getter: { code: "agent/failed" },
    proxy: { code: "agent/failed" },
  };
  for (const [kind, expected] of Object.entries(thrown)) {
    it(`makes an error of what was thrown: ${kind}`, async () => {
      const error = await failure("throw", kind);
      expect(error).to.deep.include(expected);
      expect("polluted" in {}).to.equal(false);
    });
  }

  it("keeps the causes of an error, a few of them, and bounds what is huge", async () => {
    const caused = await failure("reject", "caused");
    expect(caused).to.deep.include({ message: "outer", code: "agent/failed" });
    expect(caused.cause).to.include({ name: "TypeError", message: "middle" });
    expect(caused.cause?.cause).to.include({ message: "inner" });
    expect(caused.stack).to.be.a("string");
    host.send({ kind: "settled", ...id });
    expect(await failure("throw", "endless")).to.include({ message: "its own cause" });
    host.send({ kind: "settled", ...id });
    expect((await failure("throw", "huge")).message).to.have.length(4_097);
  });

  describe("when an attempt is aborted", () => {
    const error = { name: "AbortError", message: "cancelled by you", code: "task/cancelled" };

    it("aborts the signal with the host's error, and fails with it", async () => {
      host.run("obey");
      host.send({ kind: "abort", ...id, error });
      expect((await host.next("failed")).error).to.deep.equal(error);
    });

    it("still posts the outcome of a run that ends well", async () => {
      host.run("finish");
      host.send({ kind: "abort", ...id, error });
      expect(await done()).to.deep.equal(error);
    });

    it("still answers the call that waits, and takes no further one", async () => {
      host.run("twoCheckpoints");
      const { call } = await host.next("checkpoint");
      host.send({ kind: "abort", ...id, error }, { kind: "answer", call });
      expect((await host.next("failed")).error).to.deep.equal(error);
      expect(host.rest()).to.deep.equal([]);
    });

    it("does not even start a run that was aborted before its input was checked", async () => {
      const input = JSON.stringify({ do: "spin" });
      host.send({ kind: "run", ...id, capability: "c", input }, { kind: "abort", ...id, error });
      expect((await host.next("failed")).error).to.deep.equal(error);
    });

    it("answers for an attempt that it doesn't know, so that its slot gets free", async () => {
      host.send({ kind: "abort", task: "elsewhere", attempt: 7, error });
      expect(await host.next("failed")).to.deep.equal({ kind: "failed", task: "elsewhere", attempt: 7, error });
    });
  });

  describe("keeps outcomes until they are settled", () => {
    it("and sends them again to the next host, once for each", async () => {
      host.run("echo", "kept");
      await host.next("done");
      host.run("echo", "settled", { task: "other" });
      await host.next("done");
      host.send({ kind: "settled", task: "other", attempt: 1 });
      host.run("echo", "sync", { task: "third" });
      await host.next("done");
      const next = fakeHost(cell.serve());
      expect(await next.next("done")).to.include({ ...id, output: '"kept"' });
      expect(await next.next("done")).to.include({ task: "third" });
      expect(next.rest()).to.deep.equal([]);
      expect(next.posts, "one post").to.have.length(1);
    });

    it("and answers a run of the same attempt from them", async () => {
      host.run("echo", "first");
      await host.next("done");
      host.run("echo", "second");
      expect((await host.next("done")).output).to.equal('"first"');
      host.send({ kind: "settled", ...id });
      host.run("echo", "third");
      expect((await host.next("done")).output).to.equal('"third"');
    });

    it("while an attempt goes on through a change of hosts", async () => {
      host.run("checkpoint", "wait");
      const before = await host.next("checkpoint");
      const next = fakeHost(cell.serve());
      const again = await next.next("checkpoint");
      expect(again).to.deep.equal(before);
      host.send({ kind: "answer", call: before.call }); // the old port is dead
      next.run("checkpoint", "wait"); // it runs already: nothing new starts
      next.send({ kind: "answer", call: again.call });
      expect((await next.next("done")).output).to.equal('"kept"');
      expect(next.rest()).to.deep.equal([]);
    });

    it("and lets an older attempt of a task go when a newer one comes", async () => {
      host.run("obey");
      host.run("echo", "newer", { attempt: 2 });
      const older = await host.next("failed");
      expect(older).to.include({ task: TASK, attempt: 1 });
      expect(older.error.code).to.equal("task/interrupted");
      expect(await host.next("done")).to.include({ attempt: 2, output: '"newer"' });
    });
  });

  describe("calls the host", () => {
    it("for a checkpoint, and waits until it is durable", async () => {
      host.run("checkpoint", { page: 4 });
      const frame = await host.next("checkpoint");
      expect(frame).to.include({ ...id, value: '{"page":4}' });
      expect(host.rest()).to.deep.equal([]);
      host.send({ kind: "answer", call: frame.call });
      expect(await done()).to.equal("kept");
    });

    it("and gets its errors as errors", async () => {
      host.run("checkpoint", 1);
      const { call } = await host.next("checkpoint");
      host.send({ kind: "answer", call, error: { name: "RuntimeError", message: "full", code: "journal/quota" } });
      expect((await host.next("failed")).error).to.include({ code: "journal/quota", message: "full" });
    });

    it("but not with a checkpoint that is no JSON", async () => {
      expect(await failure("checkpointBad")).to.include({ code: "json/invalid" });
    });

    it("once for an effect, however often it is asked for, and gets JSON back", async () => {
      host.run("once", "pay");
      const frame = await host.next("effect");
      expect(frame).to.include({ ...id, key: "pay", value: '{"ran":1}' });
      host.send({ kind: "answer", call: frame.call });
      expect(await done()).to.deep.equal({ both: [{ ran: 1 }, { ran: 1 }], again: { ran: 1 }, ran: 1 });
      expect(host.rest()).to.deep.equal([]);
    });

    it("not at all for an effect that is recorded, even under a prototype's key", async () => {
      for (const key of ["pay", "__proto__", "constructor"]) {
        const effects = JSON.parse(`{"${key}":"{\\"ran\\":0}"}`) as Record<string, string>;
        host.run("once", key, { task: key, effects });
        expect(await done()).to.deep.include({ ran: 0 });
      }
    });

    it("again for an effect that failed", async () => {
      host.run("onceRetried");
      const frame = await host.next("effect");
      expect(frame.value).to.equal("2");
      host.send({ kind: "answer", call: frame.call });
      expect(await done()).to.deep.equal(["Error: first", 2]);
    });

    it("never for an effect without a proper key", async () => {
      expect(await failure("once", "k".repeat(201))).to.include({ code: "agent/message-invalid" });
    });

    it("to read and to write bytes", async () => {
      host.run("read", { blob: "b", size: 2 });
      const read = await host.next("read");
      expect(read.ref).to.deep.equal({ blob: "b", size: 2 });
      host.send({ kind: "answer", call: read.call, bytes: new Uint8Array([7, 8]) });
      expect(await done()).to.deep.equal([7, 8]);
      host.send({ kind: "settled", ...id });
      host.run("write");
      const write = await host.next("write");
      expect([...write.bytes]).to.deep.equal([2, 3, 4]);
      expect(write.bytes.buffer.byteLength, "no byte of the buffer around it").to.equal(3);
      host.send({ kind: "answer", call: write.call, ref: { blob: "new", size: 3 } });
      expect(await done()).to.deep.equal({ blob: "new", size: 3 });
    });

    it("without harm when it forgets to wait, or is late", async () => {
      host.run("forget");
      expect(await done()).to.equal("not awaited");
      const forgotten = await host.next("checkpoint");
      const gone = { name: "RuntimeError", message: "the attempt is over", code: "task/finished" };
      host.send({ kind: "answer", call: forgotten.call, error: gone }, { kind: "settled", ...id });
      host.run("late");
      expect(await done()).to.equal("early");
      const late = await host.next("checkpoint");
      host.send({ kind: "answer", call: late.call, error: gone }, { kind: "settled", ...id });
      host.run("echo", "alive");
      expect(await done()).to.equal("alive");
      const crashed = await Promise.race([cell.crashed, Promise.resolve("alive")]);
      expect(crashed).to.equal("alive");
    });
  });

  describe("tells", () => {
    it("the latest progress, a hundred lines and how many more there were, before the end", async () => {
      host.run("tell", { steps: 5_000, lines: 250 });
      await host.next("done");
      const [post] = host.posts;
      expect(host.posts).to.have.length(1);
      expect(post?.[0]).to.deep.equal({ kind: "progress", ...id, fraction: 1, note: "step 5000" });
      expect(post?.[1]).to.deep.equal({ kind: "log", ...id, level: "info", message: "line 1" });
      expect(post?.[101]).to.include({ kind: "log", message: "150 lines dropped" });
      expect(post?.[102]).to.include({ kind: "done" });
      expect(post).to.have.length(103);
    });

    it("no more than a host bears, however many turns it takes", async () => {
      host.run("tellForever");
      await host.next("done");
      const frames = host.posts.flat().length;
      expect(frames).to.be.below(10_000).and.above(10);
    });

    it("what fits into the bounds only", async () => {
      host.run("tellBadly");
      await host.next("done");
      const progress = await host.next("progress");
      expect(progress.fraction).to.equal(1);
      expect(progress.note).to.have.length(500);
      expect((await host.next("log")).message).to.have.length(4_096);
    });
  });

  describe("with an error that nobody caught", () => {
    for (const [conduct, name] of Object.entries({ unhandled: "TypeError", timer: "RangeError" })) {
      it(`fails the one attempt that runs: ${conduct}`, async () => {
        expect(await failure(conduct)).to.include({ name, code: "agent/failed" });
        host.send({ kind: "settled", ...id });
        host.run("echo", "alive");
        expect(await done()).to.equal("alive");
      });

      it(`crashes when several attempts run: ${conduct}`, async () => {
        host.run("ignore", undefined, { task: "bystander" });
        host.run(conduct);
        const error = await cell.crashed;
        expect(error).to.include({ code: "agent/crashed" });
        expect(error.detail).to.include({ url });
        expect(error.cause).to.include({ name });
      });
    }

    it("crashes when no attempt runs", async () => {
      host.run("orphan");
      expect(await done()).to.equal("done before");
      expect((await cell.crashed).cause).to.include({ message: "an orphan" });
    });
  });

  it("says so when it closes itself", async () => {
    host.run("close");
    const error = await cell.crashed;
    expect(error.code).to.equal("agent/crashed");
    expect(error.message).to.contain("self.close()");
  });

  it("posts what it has to say of many attempts in few posts", async () => {
    const frames = Array.from({ length: 500 }, (_, at) => ({
      kind: "run" as const,
      task: `t${at}`,
      attempt: 1,
      capability: "c",
      input: '{"do":"echo","with":1}',
    }));
    host.send(...frames);
    for (let at = 0; at < 500; at++) await host.next("done");
    expect(host.posts.length).to.be.below(5);
  });
});
