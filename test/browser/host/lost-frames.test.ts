/** Frames that are lost, late or doubled between page, host and worker: the next welcome puts it right. */
import { expect } from "chai";
import type { Mode, Runtime } from "../../../src/client/runtime.ts";
import { createIndexedDbJournal } from "../../../src/plugins/journals/indexeddb.ts";
import { bootHost, type Boot } from "../../../src/workers/boot.ts";
import { honest } from "../../fixtures/agents/hostile.ts";
import {
  AGENT,
  connectHere,
  deleteJournal,
  eventsOf,
  isBegun,
  newName,
  rejection,
  scriptURL,
  until,
  type HereOptions,
} from "../../fixtures/host/page.ts";
import { createWiredPlace, dropFirst, STRANGE, type WiredPlace } from "../../fixtures/host/wired-place.ts";

const SHARED: readonly Mode[] = ["shared"];

describe("frames that don't arrive", () => {
  let name = "";
  const closing: (() => Promise<void>)[] = [];
  const connect = async (options: HereOptions = {}): Promise<Runtime> => {
    const runtime = await connectHere({ name, ...options });
    closing.unshift(runtime.close);
    return runtime;
  };
  const wired = (ofHost: string | undefined = name): WiredPlace => {
    const place = createWiredPlace(ofHost);
    closing.unshift(place.close);
    return place;
  };
  const work = (runtime: Runtime, input: object): string => runtime.createTask({ capabilities: ["work"], input });
  beforeEach(() => {
    name = newName("lost");
  });
  afterEach(async () => {
    for (const close of closing.splice(0)) await close();
    await deleteJournal(name);
  });

  it("an order to start a worker is said again with the next welcome", async () => {
    const place = wired();
    const runtime = await connect({ modes: SHARED, places: place.places });
    await runtime.registerAgent({ url: AGENT });
    const stuck = work(runtime, { do: "spin" });
    await until(runtime, ({ tasks }) => isBegun(tasks.get(stuck)));
    const drop = dropFirst("spawn");
    place.toPage = (frame, pass, line) => {
      drop(frame, pass, line);
      if (frame.kind === "spawn") place.say({ kind: "signals", signals: [], origin: STRANGE }); // the page says hello
    };
    runtime.cancelTask(stuck);
    expect(await runtime.result(work(runtime, { do: "echo", value: "served" }))).to.equal("served");
  }).timeout(60_000);

  it("a welcome that comes twice introduces no worker twice", async () => {
    const place = wired();
    const runtime = await connect({ modes: SHARED, places: place.places });
    await runtime.registerAgent({ url: AGENT });
    let again: (() => void) | undefined;
    let welcomes = 0;
    const hellos = new Set<unknown>();
    place.toHost = (frame, pass) => {
      const { kind } = frame;
      if (frame.kind === "hello") {
        again ??= pass;
        hellos.add(frame["number"]);
      }
      if (kind === "joined") void soon(() => welcomes > 1).then(pass);
      else pass();
    };
    place.toPage = ({ kind }, pass) => {
      pass();
      if (kind === "welcome" && ++welcomes === 1) again?.(); // neither of the two knows the worker
    };
    const { epoch } = runtime.store.getState();
    await place.restart();
    await until(runtime, (state) => state.status === "ready" && state.epoch > epoch);
    const values = [1, 2, 3, 4];
    const tasks = values.map((value) => work(runtime, { do: "wait", ms: 50, value }));
    expect(await Promise.all(tasks.map((task) => runtime.result(task)))).to.deep.equal(values);
    for (const close of closing.splice(0)) await close();
    const left = (await eventsOf(name)).filter(({ type }) => type === "link.left").map(({ data }) => data["cause"]);
    // A page that had to look for the host once more, on a slow machine, introduces its worker once more.
    if (hellos.size === 1) expect(left).to.not.include("killed");
  }).timeout(60_000);

  it("a goodbye that is overtaken by the page's return doesn't shut it out", async () => {
    const place = wired();
    const runtime = await connect({ modes: SHARED, places: place.places });
    const task = work(runtime, { do: "echo", value: "heard" });
    await runtime.settled();
    const result = runtime.result(task);
    const held = new Map<string, () => void>();
    place.toHost = ({ kind = "" }, pass) => {
      if (kind !== "bye") pass();
      held.set(kind, pass);
    };
    dispatchEvent(new PageTransitionEvent("pagehide", { persisted: true }));
    await until(runtime, ({ status }) => status === "connecting");
    dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true }));
    await until(runtime, ({ status }) => status === "ready");
    await soon(() => held.has("bye") && held.has("offer")); // from now on the page has nothing to say
    held.get("bye")?.();
    const other = await connect({ modes: SHARED, places: place.places });
    await other.registerAgent({ url: AGENT });
    await other.result(task);
    expect(await result).to.equal("heard");
  }).timeout(60_000);

  it("what was relayed while the page had closed the channel is done again", async () => {
    const host = await connect(); // in the page
    const place = wired("");
    place.toHost = () => undefined;
    const connecting = connect({ modes: SHARED, places: place.places });
    place.say({ signpost: "elsewhere" });
    const runtime = await greeted(connecting, place);
    await runtime.registerAgent({ url: AGENT });
    expect(await runtime.result(work(runtime, { do: "echo", value: "before" }))).to.equal("before");
    place.say({ signpost: "here" }); // it was the host, for no more than a moment
    await until(runtime, ({ status }) => status === "connecting");
    const task = host.createTask({ capabilities: ["work"], input: { do: "echo", value: "relayed" } });
    await until(host, ({ tasks }) => isBegun(tasks.get(task)));
    place.say({ signpost: "elsewhere" });
    expect(await host.result(task)).to.equal("relayed");
  }).timeout(60_000);

  it("an order to a page that has unregistered the agent, or can't start it, goes to another one next", async () => {
    const [first, second] = [await connect(), await connect()];
    await first.registerAgent({ url: AGENT });
    first.unregisterAgent("worker");
    await first.settled();
    await second.registerAgent({ url: AGENT });
    const stuck = work(second, { do: "spin" });
    await until(second, ({ tasks }) => isBegun(tasks.get(stuck)));
    second.cancelTask(stuck);
    expect(await second.result(work(second, { do: "echo", value: "mine" }))).to.equal("mine");

    const script = await (await fetch(AGENT)).text();
    const url = scriptURL(script);
    await first.registerAgent({ url, trusted: true, replace: true });
    URL.revokeObjectURL(url); // it can't start it again
    await second.registerAgent({ url: scriptURL(script), trusted: true, replace: true });
    const again = work(second, { do: "spin" });
    await until(second, ({ tasks }) => isBegun(tasks.get(again)));
    second.cancelTask(again);
    expect(await second.result(work(second, { do: "echo", value: "in turn" }))).to.equal("in turn");
  }).timeout(60_000);

  it("an order that a page lets lie goes to another page when the patience is over", async () => {
    const place = createWiredPlace(name, 100);
    closing.unshift(place.close);
    const pages = [0, 1].map(() => connect({ modes: SHARED, places: place.places }));
    for (const page of await Promise.all(pages)) await page.registerAgent({ url: AGENT });
    const [first, second] = (await Promise.all(pages)) as [Runtime, Runtime];
    const stuck = work(first, { do: "spin" });
    await until(first, ({ tasks }) => isBegun(tasks.get(stuck)));
    let orders = 0;
    place.toPage = ({ kind }, pass) => {
      if (kind !== "spawn" || ++orders > 1) pass();
    };
    first.cancelTask(stuck);
    expect(await second.result(work(second, { do: "echo", value: "by another" }))).to.equal("by another");
    expect(orders).to.equal(2);
  }).timeout(60_000);

  it("a flood that is relayed ends its worker, and the host and others go on", async () => {
    await connect(); // it hosts
    const runtime = await connect();
    await runtime.registerAgent({ url: AGENT });
    const flood = (frames: number): string => `take = ({ task, attempt }) => {
      const progress = { kind: "progress", task, attempt, fraction: 0 };
      for (let at = 0; at < 4; at++) host.postMessage(Array(${String(frames)}).fill(progress));
    };`;
    const once = { capabilities: ["raw"], retry: { maxAttempts: 1 } };
    for (const [frames, code] of [
      [4_097, "agent/message-invalid"],
      [4_000, "agent/flooded"],
    ] as const) {
      await runtime.registerAgent({ url: scriptURL(honest(flood(frames))), replace: true });
      expect((await rejection(runtime.result(runtime.createTask(once)))).code).to.equal(code);
      await until(runtime, ({ agents }) => agents.get("raw@1.0.0")?.links === 0);
      expect(await runtime.result(work(runtime, { do: "echo", value: code }))).to.equal(code);
    }
  }).timeout(60_000);

  it("the end of the host, heard while nobody was welcomed, starts another one", async () => {
    const boots: Boot[] = [];
    const elected = (): Worker => {
      const openJournal = () => createIndexedDbJournal({ name });
      boots.push(bootHost({ name, place: "elected", version: "0.1.0", openJournal }));
      return { terminate: () => undefined } as unknown as Worker;
    };
    closing.unshift(async () => {
      await Promise.all(boots.map((boot) => boot.close()));
    });
    const runtime = await connect({ modes: ["elected"], places: { elected } });
    expect(runtime.mode).to.equal("elected");
    const channel = new BroadcastChannel(`troupe:${name}`);
    const error = { name: "RuntimeError", message: "so it seems", code: "host/stopped" };
    channel.postMessage({ to: "page", page: runtime.session, frame: { kind: "stopped", error, origin: STRANGE } });
    await until(runtime, ({ status }) => status === "connecting");
    void boots[0]?.close(); // its lock is let go while the page has no host to its knowledge
    await until(runtime, ({ status, epoch }) => status === "ready" && epoch === 2);
    channel.close();
  }).timeout(60_000);
});

/** Says again that the host is elsewhere, until the page has found it: its port may come later. */
async function greeted(connecting: Promise<Runtime>, place: WiredPlace): Promise<Runtime> {
  const repeat = setInterval(() => {
    place.say({ signpost: "elsewhere" });
  }, 50);
  try {
    return await connecting;
  } finally {
    clearInterval(repeat);
  }
}

/** Resolves when it holds. */
async function soon(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 5));
}
