import { wrap } from "comlink";
import { expect } from "chai";
import { createControl } from "../../../src/client/spawn-control.ts";
import type { RuntimeError } from "../../../src/core/errors.ts";
import { fakeHost, textOf } from "../../fixtures/agents/host.ts";

/** Messages as Comlink's protocol has them: each would run code, pollute a prototype or hand out an object. */
const raw = (value: unknown): object => ({ type: "RAW", value });
const ATTACKS: readonly object[] = [
  { type: "GET", path: [] },
  { type: "GET", path: ["__proto__", "constructor", "name"] },
  { type: "GET", path: ["describe"] },
  { type: "SET", path: ["__proto__", "polluted"], value: raw("yes") },
  { type: "SET", path: ["__proto__", "__proto__", "polluted"], value: raw("yes") },
  { type: "SET", path: ["describe"], value: raw("gone") },
  { type: "APPLY", path: [], argumentList: [] },
  { type: "APPLY", path: ["constructor"], argumentList: [raw("self.polluted = 1")] },
  { type: "APPLY", path: ["constructor", "constructor"], argumentList: [raw("return 1")] },
  { type: "APPLY", path: ["describe", "constructor"], argumentList: [raw("self.polluted = 1")] },
  { type: "APPLY", path: ["toString"], argumentList: [] },
  { type: "APPLY", path: ["__proto__"], argumentList: [] },
  { type: "APPLY", path: ["serve"], argumentList: [raw({ postMessage: 1 })] },
  { type: "APPLY", path: ["serve"], argumentList: [{ type: "HANDLER", name: "proxy", value: null }] },
  { type: "APPLY", path: ["serve"], argumentList: null },
  { type: "APPLY", path: { length: 1, 0: "describe" } },
  { type: "CONSTRUCT", path: ["constructor"], argumentList: [raw("self.polluted = 1")] },
  { type: "CONSTRUCT", path: ["constructor", "constructor"], argumentList: [raw("self.polluted = 1")] },
  { type: "CONSTRUCT", path: ["describe"], argumentList: [] },
  { type: "ENDPOINT" },
  { type: "RELEASE" },
  { type: "__proto__", path: ["__proto__"] },
];
const GARBAGE: readonly unknown[] = [
  null,
  0,
  "",
  "describe",
  [],
  [[]],
  { id: {} },
  { id: 1, type: 1, path: 1 },
  new Map(),
];

const tick = (): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, 100); // that nothing comes can only be waited for
  });

/** What comes is waited for, however long a busy machine takes. */
async function firstOf(heard: readonly unknown[]): Promise<{ readonly id: string }> {
  while (heard.length === 0) await tick();
  return heard[0] as { id: string };
}

describe("over the control port", () => {
  describe("a page that speaks Comlink raw", () => {
    let worker: Worker;
    let port: MessagePort;
    const answers: unknown[] = [];

    beforeEach(async () => {
      const url = new URL("../../fixtures/agents/conduct.agent.ts", import.meta.url);
      worker = new Worker(url, { type: "module" });
      await new Promise((resolve) => {
        worker.onmessage = resolve;
      });
      const channel = new MessageChannel();
      port = channel.port1;
      answers.length = 0;
      port.onmessage = ({ data }) => answers.push(data);
      worker.postMessage("control", [channel.port2]);
    });
    afterEach(() => {
      worker.terminate();
      port.close();
    });

    it("gets no answer, and does no harm", async () => {
      for (const [at, attack] of ATTACKS.entries()) port.postMessage({ id: `attack-${at}`, ...attack });
      for (const garbage of GARBAGE) port.postMessage(garbage);
      port.postMessage({ id: "honest", type: "APPLY", path: ["describe"], argumentList: [] });
      await firstOf(answers);
      await tick();
      expect(answers).to.have.length(1);
      expect(answers[0]).to.deep.include({ id: "honest", type: "RAW" });
      const channel = new MessageChannel();
      const served = { id: "serve", type: "APPLY", path: ["serve"], argumentList: [raw(channel.port2)] };
      port.postMessage(served, [channel.port2]);
      const host = fakeHost(channel.port1);
      host.run("context");
      expect(JSON.parse(textOf((await host.next("done")).output))).to.include({ polluted: false });
    });

    it("finds in the agent what Comlink finds: two calls", async () => {
      port.onmessage = null;
      const remote = wrap<{ describe(): unknown }>(port);
      expect(await remote.describe()).to.include({ name: "conduct" });
    });
  });

  describe("a worker that speaks Comlink raw", () => {
    const setUp = (): {
      hostile: MessagePort;
      heard: unknown[];
      deaths: string[];
      control: ReturnType<typeof createControl>;
    } => {
      const { port1, port2 } = new MessageChannel();
      const deaths: string[] = [];
      const heard: unknown[] = [];
      const onDeath = (reason: string): unknown => deaths.push(reason);
      const control = createControl({ url: "hostile.js", port: port1, timeout: 20_000, onDeath });
      port2.onmessage = ({ data }) => heard.push(data);
      return { hostile: port2, heard, deaths, control };
    };
    const refusal = (call: Promise<unknown>): Promise<RuntimeError> =>
      call.then(
        () => {
          throw new Error("it was believed");
        },
        (error: unknown) => error as RuntimeError,
      );

    it("gets no answer, and does no harm", async () => {
      const { hostile, heard, deaths, control } = setUp();
      for (const [at, attack] of ATTACKS.entries()) hostile.postMessage({ id: `attack-${at}`, ...attack });
      for (const garbage of GARBAGE) hostile.postMessage(garbage);
      await tick();
      expect(heard).to.deep.equal([]);
      expect(deaths).to.deep.equal([]);
      expect("polluted" in {}).to.equal(false);
      expect("polluted" in globalThis).to.equal(false);
      const described = control.describe(20_000);
      const { id } = await firstOf(heard);
      hostile.postMessage({ id, type: "RAW", value: "late, but honest" });
      expect(await described).to.equal("late, but honest");
    });

    const answers: Record<string, (id: string) => [object, Transferable[]?]> = {
      "a proxy": (id) => {
        const { port1 } = new MessageChannel();
        return [{ id, type: "HANDLER", name: "proxy", value: port1 }, [port1]];
      },
      "a thrown error": (id) => [
        { id, type: "HANDLER", name: "throw", value: { isError: true, value: { message: "m" } } },
      ],
      "a thrown value": (id) => [{ id, type: "HANDLER", name: "throw", value: { isError: false, value: "v" } }],
      "an unknown handler": (id) => [{ id, type: "HANDLER", name: "constructor", value: 1 }],
      "no type": (id) => [{ id, value: 1 }],
    };
    for (const [kind, answer] of Object.entries(answers)) {
      it(`cannot answer a call with ${kind}`, async () => {
        const { hostile, heard, control } = setUp();
        const refused = refusal(control.describe(20_000));
        const { id } = await firstOf(heard);
        const [message, transfer = []] = answer(id);
        hostile.postMessage(message, transfer);
        expect((await refused).code).to.equal("agent/message-invalid");
      });
    }

    it("cannot answer a call twice, or one that was never made", async () => {
      const { hostile, heard, control } = setUp();
      hostile.postMessage({ id: "1-2-3-4", type: "RAW", value: "guessed" });
      const described = control.describe(20_000);
      const { id } = await firstOf(heard);
      for (const value of ["first", "second"]) hostile.postMessage({ id, type: "RAW", value });
      expect(await described).to.equal("first");
    });

    it("is given up when it answers too late, or dies", async () => {
      const { control } = setUp();
      expect((await refusal(control.describe(50))).code).to.equal("agent/load-failed");
      const call = refusal(control.describe(20_000));
      const { RuntimeError } = await import("../../../src/core/errors.ts");
      control.close(new RuntimeError("agent/crashed"));
      expect((await call).code).to.equal("agent/crashed");
      expect((await refusal(control.describe(20_000))).code).to.equal("agent/crashed");
    });
  });
});
