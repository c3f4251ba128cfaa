/** Capabilities that are registered, agents' defaults, and batches, through a real host and real workers. */
import { expect } from "chai";
import { createDiscovery } from "../../../src/client/discovery.ts";
import type { Runtime } from "../../../src/client/runtime.ts";
import { AGENT, connectHere, deleteJournal, newName, rejection, until } from "../../fixtures/host/page.ts";

const BATCHER = "/bundled/test/fixtures/host/batch.agent.ts";

interface Told {
  readonly at: number;
  readonly batch: number;
  readonly place: number;
  readonly of: number;
}

describe("capabilities of a host", () => {
  let name = "";
  let runtime: Runtime;

  beforeEach(async () => {
    name = newName("capabilities");
    runtime = await connectHere({ name });
  });
  afterEach(async () => {
    await runtime.close();
    await deleteJournal(name);
  });

  it("refuse inputs, fail outputs, and are told of by discovery", async () => {
    await runtime.registerAgent({ url: AGENT });
    const value = { type: ["string", "integer"] } as const;
    await runtime.registerCapability({
      name: "work",
      input: { type: "object", properties: { do: { type: "string" }, value }, required: ["do"] },
      output: value,
      defaults: { retry: { maxAttempts: 1 } },
    });
    await runtime.registerCapability({ name: "other", version: "1.0.0", description: "nobody offers it" });
    const bad = runtime.createTask({ capabilities: ["work.part"], input: { do: "echo", value: [1] } });
    const refused = await rejection(runtime.settled(bad));
    expect(refused.code).to.equal("task/input-invalid");
    expect(refused.detail).to.include({ at: "input.value", expected: "string or integer", found: "a list of 1" });
    expect(runtime.tasks.get(bad)).to.equal(undefined);
    const good = runtime.createTask({ capabilities: ["work"], input: { do: "echo", value: "yes" } });
    expect(await runtime.result(good)).to.equal("yes");
    const wrong = runtime.createTask({ capabilities: ["work"], input: { do: "flaky", value: "x" } });
    expect((await rejection(runtime.result(wrong))).message).to.include("the first time always fails");
    expect(runtime.tasks.get(wrong)).to.include({ failures: 1 });

    const discovery = createDiscovery(runtime);
    expect(discovery.capabilities().map((one) => [one.name, one.agents, one.versions.length])).to.deep.equal([
      ["other", 0, 1],
      ["work", 1, 1],
    ]);
    expect(discovery.capabilities()[1]?.versions[0]?.output).to.deep.equal(value);
    await runtime.unregisterCapability("other");
    expect(discovery.capabilities().map((one) => one.name)).to.deep.equal(["work"]);
    const unknown = await rejection(runtime.unregisterCapability("other"));
    expect(unknown.code).to.equal("capability/unknown");
    const other = await rejection(runtime.registerCapability({ name: "work" }));
    expect(other.detail).to.deep.include({ differs: ["input", "output", "defaults"] });
    const none = await rejection(runtime.registerCapability({ name: "x", input: { pattern: "." } as object }));
    expect(none.detail).to.include({ at: "input.pattern" });
  });

  it("fail an attempt whose output is another", async () => {
    await runtime.registerAgent({ url: AGENT });
    await runtime.registerCapability({ name: "work", output: { type: "string", maxLength: 3 } });
    const long = runtime.createTask({ capabilities: ["work"], input: { do: "echo", value: "long" } });
    const error = await rejection(runtime.result(long));
    expect(error.code).to.equal("agent/output-invalid");
    expect(error.detail).to.include({ at: "output", expected: "at most 3 characters" });
    expect(runtime.tasks.get(long)).to.include({ failures: 1 });
  });

  it("are performed by the agent's defaults before their own, and by the task's before these", async () => {
    await runtime.registerAgent({ url: AGENT, timeout: 300, retry: { maxAttempts: 2, base: 1 } });
    await runtime.registerCapability({
      name: "work",
      defaults: { timeout: 600_000, retry: { except: ["task/timeout"] } },
    });
    const endOf = async (more: { timeout?: number; retry?: { except: string[] } }): Promise<unknown[]> => {
      const id = runtime.createTask({ capabilities: ["work"], input: { do: "spin" }, ...more });
      const { code, detail } = await rejection(runtime.result(id));
      return [code, detail["timeout"], runtime.tasks.get(id)?.failures];
    };
    expect(await endOf({})).to.deep.equal(["task/timeout", 300, 1]);
    expect(await endOf({ timeout: 200, retry: { except: [] } })).to.deep.equal(["task/timeout", 200, 2]);
  }).timeout(60_000);

  it("are performed in batches: each item once, in order, and what failed again alone", async () => {
    const manifest = await runtime.registerAgent({ url: BATCHER });
    expect(manifest).to.deep.include({ slots: 50, retry: { base: 1 } });
    const ids = Array.from({ length: 1_000 }, (_none, at) =>
      runtime.createTask({ capabilities: ["batch"], input: { at, fails: at % 25 === 3 } }),
    );
    const told = (await Promise.all(ids.map((id) => runtime.result(id)))) as Told[];
    expect(told.map(({ at }) => at)).to.deep.equal(ids.map((_id, at) => at));
    const failures = ids.map((id) => runtime.tasks.get(id)?.failures);
    expect(failures).to.deep.equal(ids.map((_id, at) => (at % 25 === 3 ? 1 : 0)));
    const firsts = told.filter(({ at }) => at % 25 !== 3).map(({ batch, place }) => batch * 1_000 + place);
    expect(firsts).to.deep.equal([...firsts].sort((a, b) => a - b));
    expect(Math.max(...told.map(({ of }) => of))).to.equal(50);
    await until(runtime, ({ agents }) => agents.get("batcher@1.0.0")?.running === 0);
    const { completed, failed } = runtime.agents.get("batcher@1.0.0")?.statistics ?? {};
    expect([completed, failed]).to.deep.equal([1_000, 40]);
  }).timeout(60_000);
});
