/** Payloads that are too long for a record: beside it, handed over, whole at both ends, however often the host is another. */
import { expect } from "chai";
import type { Mode, Runtime, SpilledPayload } from "../../../src/client/runtime.ts";
import type { WorkflowInput } from "../../../src/core/index.ts";
import { createIndexedDbJournal } from "../../../src/plugins/journals/indexeddb.ts";
import {
  AGENT,
  connectHere,
  deleteJournal,
  eventsOf,
  newName,
  rejection,
  until,
  type HereOptions,
} from "../../fixtures/host/page.ts";
import { createWiredPlace, type Passing, type WiredPlace } from "../../fixtures/host/wired-place.ts";

const SHARED: readonly Mode[] = ["shared"];
const MB = 1_024 * 1_024;

/** A text that no cutting, no wrong length and no other encoding leaves as it is. */
function textOf(length: number, seed = 1): string {
  const parts: string[] = [];
  let size = 0;
  for (let at = seed; size < length; at++) {
    const part = `${String(at)} ü€😀"\\\n`;
    parts.push(part);
    size += part.length;
  }
  return parts.join("").slice(0, length);
}

const isSpilled = (value: unknown): value is SpilledPayload => (value as Partial<SpilledPayload>).spilled === true;

describe("large payloads", () => {
  let name = "";
  const closing: (() => Promise<void>)[] = [];
  const connect = async (options: HereOptions = {}): Promise<Runtime> => {
    const runtime = await connectHere({ name, ...options });
    closing.unshift(runtime.close);
    return runtime;
  };
  const wire = (): WiredPlace => {
    const place = createWiredPlace(name);
    closing.unshift(place.close);
    return place;
  };
  const closeAll = async (): Promise<void> => {
    for (const close of closing.splice(0)) await close();
  };
  const create = (runtime: Runtime, input: object): string =>
    runtime.createTask({ capabilities: ["work"], input, retry: { base: 1 } });
  beforeEach(() => {
    name = newName("payloads");
  });
  afterEach(async () => {
    await closeAll();
    await deleteJournal(name);
  });

  /** The longest record, in characters, and who owns blobs, when all hosts have ended. */
  const lookInside = async (): Promise<{ longest: number; owners: readonly string[] }> => {
    await closeAll();
    const journal = createIndexedDbJournal({ name });
    await journal.open();
    let longest = 0;
    for await (const { text } of journal.read(0)) longest = Math.max(longest, text.length);
    const { rows } = await journal.archive({});
    for (const { text } of rows) longest = Math.max(longest, text.length);
    const owners = await journal.blobs.owners();
    await journal.close();
    return { longest, owners };
  };

  it("of 5 MB reach another page's agent and come back, and the records stay small", async () => {
    const [asking, serving] = [await connect(), await connect()];
    await serving.registerAgent({ url: AGENT });
    const value = textOf(5 * MB);
    const task = create(asking, { do: "echo", value });
    expect((asking.tasks.get(task)?.input as { value: string }).value === value, "at once").to.equal(true);
    await asking.settled(task);
    const { input } = asking.tasks.get(task) ?? {};
    expect(isSpilled(input) && input.size > 5 * MB).to.equal(true);
    expect(((await asking.load(input)) as { value: string }).value === value, "the input").to.equal(true);
    expect((await asking.result(task)) === value, "the output").to.equal(true);
    const archived = await serving.archive.task(task);
    expect(isSpilled(archived?.output)).to.equal(true);
    expect((await serving.load(archived?.output)) === value, "archived").to.equal(true);
    expect((await serving.result(task)) === value, "later").to.equal(true);
    expect(await asking.load({ spilled: true, size: 3 })).to.deep.equal({ spilled: true, size: 3 });
    const { longest, owners } = await lookInside();
    expect(longest).to.be.below(8_192);
    expect(owners).to.deep.equal([task]);
  }).timeout(60_000);

  it("are handed over, not copied", async () => {
    const place = wire();
    const runtime = await connect({ modes: SHARED, places: place.places });
    await runtime.registerAgent({ url: AGENT });
    const value = textOf(MB);
    const left: number[] = [];
    const { postMessage } = MessagePort.prototype;
    MessagePort.prototype.postMessage = function (this: MessagePort, message: unknown, ...rest: [never]) {
      postMessage.call(this, message, ...rest);
      const { query } = Object(message) as { readonly query?: { readonly bytes?: Uint8Array } };
      if (query?.bytes) left.push(query.bytes.buffer.byteLength);
    };
    try {
      expect((await runtime.result(create(runtime, { do: "echo", value }))) === value).to.equal(true);
    } finally {
      MessagePort.prototype.postMessage = postMessage;
    }
    // The place hands the page's frame on to the host as a copy of its own: that one is still whole.
    expect(left[0]).to.equal(0);
  }).timeout(30_000);

  it("begin above 262,144 characters of text, and end at 64 MiB with an error", async () => {
    const runtime = await connect();
    await runtime.registerAgent({ url: AGENT });
    for (const [kB, spilled] of [
      [255, false],
      [257, true],
    ] as const) {
      const value = "x".repeat(kB * 1_024);
      const task = create(runtime, { do: "echo", value });
      await runtime.settled(task);
      expect(isSpilled(runtime.tasks.get(task)?.input), `${String(kB)} kB in`).to.equal(spilled);
      expect((await runtime.result(task)) === value).to.equal(true);
      expect(isSpilled(runtime.tasks.get(task)?.output), `${String(kB)} kB out`).to.equal(spilled);
    }
    const huge = "x".repeat(64 * MB);
    expect(() => create(runtime, { do: "echo", value: huge }))
      .to.throw()
      .with.property("code", "json/too-large");
    // Within the bound as text, and beyond it as bytes: the host never hears of it, and what comes after is decided.
    const wide = create(runtime, { do: "echo", value: "€".repeat(22 * MB) });
    const after = create(runtime, { do: "echo", value: 1 });
    expect((await rejection(runtime.settled(wide))).code).to.equal("json/too-large");
    expect((await rejection(runtime.result(wide))).code).to.equal("json/too-large");
    expect(runtime.tasks.has(wide)).to.equal(false);
    expect(await runtime.result(after)).to.equal(1);
  }).timeout(60_000);

  it("keep the order of commands, and are stored once more for a host that comes between", async () => {
    const place = wire();
    const runtime = await connect({ modes: SHARED, places: place.places });
    await runtime.registerAgent({ url: AGENT });
    for (const lost of ["query", "answer", "commands"]) {
      const value = textOf(MB, 1 + lost.length);
      const { epoch } = runtime.store.getState();
      let dropped = false;
      const toll = ({ kind }: Passing, pass: () => void): void => {
        if (dropped || kind !== lost) pass();
        else void place.restart();
        dropped ||= kind === lost;
      };
      if (lost === "answer") place.toPage = toll;
      else place.toHost = toll;
      const large = create(runtime, { do: "echo", value });
      const cancelled = create(runtime, { do: "echo", value: textOf(MB, 7) });
      runtime.cancelTask(cancelled);
      const small = create(runtime, { do: "echo", value: lost });
      expect((await runtime.result(large)) === value, lost).to.equal(true);
      expect((await rejection(runtime.result(cancelled))).code).to.equal("task/cancelled");
      expect(await runtime.result(small)).to.equal(lost);
      expect(runtime.store.getState().epoch).to.be.above(epoch);
      place.toPage = place.toHost = (_frame, pass) => {
        pass();
      };
      const made = await Promise.all([large, cancelled, small].map((id) => runtime.archive.task(id)));
      const orders = made.map((view) => view?.order ?? 0);
      expect(orders, lost).to.deep.equal([...orders].sort((a, b) => a - b));
    }
    const { longest } = await lookInside();
    expect(longest).to.be.below(16_384);
    const completed = (await eventsOf(name)).filter(({ type }) => type === "task.completed");
    expect(completed).to.have.length(6);
  }).timeout(90_000);

  it("of 1 MB as a checkpoint outlive the host, the last of three, and are gone with the task", async () => {
    const place = wire();
    const runtime = await connect({ modes: SHARED, places: place.places });
    await runtime.registerAgent({ url: AGENT });
    const task = create(runtime, { do: "hoard", value: MB, ms: 600_000 });
    await until(runtime, ({ progress }) => progress.get(task)?.note === "kept");
    await place.restart();
    expect((await runtime.result(task)) === "c".repeat(MB)).to.equal(true);
    const { longest, owners } = await lookInside();
    expect(longest).to.be.below(8_192);
    expect(owners).to.deep.equal([task]); // its output
  }).timeout(60_000);

  it("work with idempotency keys, retries and dead letters that are tried again", async () => {
    const runtime = await connect();
    await runtime.registerAgent({ url: AGENT });
    const value = textOf(MB);
    const order = { capabilities: ["work"] as const, idempotency: { key: "once" }, retry: { base: 1 } };
    const twice = [1, 2].map(() => runtime.createTask({ ...order, input: { do: "flaky", value } }));
    for (const task of twice)
      expect(((await runtime.result(task)) as { flaky: string }).flaky === value).to.equal(true);
    expect((await runtime.archive.task(twice[1] ?? ""))?.alias).to.equal(twice[0]);
    const failing = runtime.createTask({
      capabilities: ["work"],
      input: { do: "throw", value },
      retry: { maxAttempts: 1 },
    });
    expect((await rejection(runtime.result(failing))).code).to.equal("odd/broken");
    const [dead] = (await runtime.deadLetters()).tasks;
    expect(((await runtime.load(dead?.input)) as { value: string }).value === value).to.equal(true);
    const again = await runtime.requeue(failing);
    expect((await rejection(runtime.result(again))).code).to.equal("odd/broken");
    const input = (await runtime.archive.task(again))?.input;
    expect(isSpilled(input)).to.equal(true);
    expect(((await runtime.load(input)) as { value: string }).value === value).to.equal(true);
    const edited = await runtime.requeue(failing, { input: { do: "echo", value } });
    expect((await runtime.result(edited)) === value).to.equal(true);
  }).timeout(60_000);

  describe("in a workflow", () => {
    const echo = (id: string, input: string): WorkflowInput["nodes"][number] => ({
      id,
      type: "task",
      capabilities: ["work"],
      input,
    });
    const run = async (flow: Omit<WorkflowInput, "id">, input: unknown): Promise<{ runtime: Runtime; id: string }> => {
      const runtime = await connect();
      await runtime.registerAgent({ url: AGENT, workers: 2 });
      runtime.registerWorkflow({ id: "flow", ...flow });
      return { runtime, id: runtime.startWorkflow("flow", input) };
    };
    const edges = [{ from: "a", to: "b" }];

    it("pass whole from node to node and out of the run", async () => {
      const value = textOf(MB);
      const { runtime, id } = await run(
        { nodes: [echo("a", "input"), echo("b", "nodes.a.output")], edges, output: "nodes.b.output" },
        { do: "echo", value: { do: "echo", value } },
      );
      expect((await runtime.result(id)) === value).to.equal(true);
      const view = runtime.executions.get(id);
      expect(isSpilled(view?.output)).to.equal(true);
      expect((await runtime.load((await runtime.archive.execution(id))?.output)) === value).to.equal(true);
    }).timeout(60_000);

    it("pass whole as items of a map's output", async () => {
      const value = textOf(300_000);
      const { runtime, id } = await run(
        {
          nodes: [
            { id: "a", type: "map", items: "[1, 2, 3]", task: { capabilities: ["work"], input: "input" } },
            { id: "b", type: "approval", message: "look", payload: "nodes.a.output" },
          ],
          edges,
          output: "nodes.a.output",
        },
        { do: "echo", value },
      );
      await until(runtime, ({ approvals }) => approvals.size === 1);
      const [approval] = runtime.approvals.values();
      expect(((await runtime.load(approval?.payload)) as string[]).map((text) => text === value)).to.deep.equal([
        true,
        true,
        true,
      ]);
      runtime.answer(approval?.id ?? "", { approved: true, by: "suite" });
      expect(((await runtime.result(id)) as string[]).map((text) => text === value)).to.deep.equal([true, true, true]);
    }).timeout(60_000);

    it("can be looked into up to what a record holds, and beyond it the node fails and says which", async () => {
      const flow = {
        nodes: [echo("a", "input"), echo("b", `{"do": "echo", "value": size(nodes.a.output.text)}`)],
        edges,
        output: "nodes.b.output",
      };
      const value = "x".repeat(MB);
      const { runtime, id } = await run(flow, { do: "echo", value: { text: value } });
      expect(await runtime.result(id)).to.equal(MB);
      runtime.registerWorkflow({
        id: "large",
        ...flow,
        nodes: [echo("a", `{"do": "blow", "value": input}`), ...flow.nodes.slice(1)],
      });
      const error = await rejection(runtime.result(runtime.startWorkflow("large", 9 * MB)));
      expect([error.code, error.detail["node"]]).to.deep.equal(["payload/too-large", "a"]);
      expect(error.detail["size"]).to.be.above(9 * MB);
      runtime.registerWorkflow({
        id: "status",
        nodes: [echo("a", `{"do": "blow", "value": input}`), echo("b", `{"do": "echo", "value": nodes.a.status}`)],
        edges,
        output: "nodes.b.output",
      });
      expect(await runtime.result(runtime.startWorkflow("status", 9 * MB))).to.equal("completed");
      const whole = { do: "echo", value: { text: "x".repeat(9 * MB) } };
      runtime.registerWorkflow({ id: "whole", nodes: [echo("a", "input")], edges: [], output: "nodes.a.output" });
      const result = (await runtime.result(runtime.startWorkflow("whole", whole))) as { text: string };
      expect(result.text.length).to.equal(9 * MB);
    }).timeout(90_000);
  });
});
