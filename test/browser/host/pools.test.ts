/** Pools of real workers: forgetting, recycling, draining, requeueing, versions. */
import { expect } from "chai";
import { createDiscovery } from "../../../src/client/discovery.ts";
import type { Runtime } from "../../../src/client/runtime.ts";
import { AGENT, connectHere, deleteJournal, isBegun, newName, rejection, until } from "../../fixtures/host/page.ts";

const POOL = "/bundled/test/fixtures/host/pool.agent.ts";

interface Told {
  readonly life: number;
  readonly attempts: number;
  readonly resets: number;
}

describe("pools of a host", () => {
  let name = "";
  let runtime: Runtime;

  beforeEach(async () => {
    name = newName("pools");
    runtime = await connectHere({ name });
  });
  afterEach(async () => {
    await runtime.close();
    await deleteJournal(name);
  });

  it("reset a worker between attempts, replace it after its last, and match versions of capabilities", async () => {
    const manifest = await runtime.registerAgent({ url: POOL });
    expect(manifest).to.include({ recycleAfter: 2 });
    const told: Told[] = [];
    for (let at = 0; at < 3; at++)
      told.push((await runtime.result(runtime.createTask({ capabilities: ["pool.part@^2"] }))) as Told);
    expect(told.map(({ attempts, resets }) => [attempts, resets])).to.deep.equal([
      [1, 0],
      [1, 1],
      [1, 0],
    ]);
    expect(told[1]?.life).to.equal(told[0]?.life);
    expect(told[2]?.life).not.to.equal(told[0]?.life);
    const other = runtime.createTask({ capabilities: ["pool@^3"] });
    await runtime.settled(other);
    expect(runtime.tasks.get(other)?.status).to.equal("queued");
    expect(runtime.agents.get("pool@1.0.0")?.statistics.completed).to.equal(3);
  });

  it("replace a worker whose own check fails: the attempt is tried again in a new one", async () => {
    await runtime.registerAgent({ url: "/bundled/test/fixtures/host/checked.agent.ts" });
    const ask = (spoil: boolean): string =>
      runtime.createTask({ capabilities: ["check"], input: { spoil }, retry: { base: 1, jitter: "none" } });
    const first = await runtime.result(ask(false));
    expect(await runtime.result(ask(true))).to.equal(first);
    const failures: { readonly code: string; readonly cause?: { readonly code: string } | undefined }[] = [];
    runtime.on("task.failed", ({ error }) => failures.push(error));
    expect(await runtime.result(ask(false))).not.to.equal(first);
    expect(failures.map(({ code, cause }) => [code, cause?.code])).to.deep.equal([
      ["agent/crashed", "agent/unhealthy"],
    ]);
  });

  it("drain an agent: what runs ends there, and then it is gone with its worker", async () => {
    await runtime.registerAgent({ url: AGENT });
    const task = runtime.createTask({ capabilities: ["work"], input: { do: "wait", ms: 500, value: "done" } });
    await until(runtime, ({ tasks }) => isBegun(tasks.get(task)));
    runtime.unregisterAgent("worker");
    await until(runtime, ({ agents }) => agents.get("worker@1.0.0")?.draining === true);
    expect(await runtime.result(task)).to.equal("done");
    await until(runtime, ({ agents }) => agents.size === 0);
  });

  it("requeue what an unregistered agent runs, and finish it when the agent is back", async () => {
    await runtime.registerAgent({ url: AGENT });
    const task = runtime.createTask({ capabilities: ["work"], input: { do: "wait", ms: 700, value: "done" } });
    await until(runtime, ({ tasks }) => isBegun(tasks.get(task)));
    runtime.unregisterAgent("worker@1.0.0", "requeue");
    await until(runtime, ({ tasks }) => tasks.get(task)?.status === "queued");
    await runtime.registerAgent({ url: AGENT });
    expect(await runtime.result(task)).to.equal("done");
    expect(runtime.tasks.get(task)).to.include({ failures: 0 });
  });

  it("refuse another manifest under the same id, and show what discovery finds", async () => {
    await runtime.registerAgent({ url: AGENT });
    const refused = await rejection(runtime.registerAgent({ url: AGENT, slots: 2 }));
    expect(refused.code).to.equal("agent/duplicate");
    expect(refused.detail).to.deep.include({ differs: ["slots"] });
    await runtime.registerAgent({ url: AGENT, slots: 2, replace: true });
    const discovery = createDiscovery(runtime);
    const [match] = discovery.findAgentsByCapabilities(["work.part"]);
    expect(match?.agent).to.include({ id: "worker@1.0.0", status: "idle", slots: 2 });
    runtime.setAgentOffline("worker", true);
    await until(runtime, ({ agents }) => agents.get("worker@1.0.0")?.status === "offline");
    expect(discovery.getStats()).to.include({ total: 1, offline: 1, capacity: 0 });
    expect(discovery.findBestAgentForTask({ capabilities: ["work"] })).to.equal(undefined);
  });
});
