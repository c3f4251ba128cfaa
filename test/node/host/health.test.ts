/** Agents that check themselves, by the real runtime of an agent's worker. */
import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it, mock } from "node:test";
import { checked, type Checked, type HealthOptions } from "../../../src/workers/health.ts";
import type { AgentContext } from "../../../src/core/plugin/definition.ts";
import type { RuntimeError } from "../../../src/core/errors.ts";

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const context = {} as AgentContext;

interface Ward {
  readonly agent: Checked<number, number>;
  /** How often it was checked. */
  readonly checks: () => number;
  /** What the next checks do. */
  behave(check: () => void | Promise<void>): void;
  /** Ends what runs. */
  finish(): void;
}

function open(options: Partial<HealthOptions<number, number>> = {}): Ward {
  let checks = 0;
  let behaviour: () => void | Promise<void> = () => undefined;
  let ends: (() => void)[] = [];
  const agent = checked<number, number>({
    health: () => (checks++, behaviour()),
    run: (input) =>
      new Promise((resolve) =>
        ends.push(() => {
          resolve(input * 2);
        }),
      ),
    ...options,
  });
  return {
    agent,
    checks: () => checks,
    behave: (check) => (behaviour = check),
    finish() {
      for (const end of ends) end();
      ends = [];
    },
  };
}

const boom = (): never => {
  throw new Error("the model is gone");
};
const unhealthy = (reason: string) => (error: RuntimeError) =>
  error.code === "agent/unhealthy" && error.detail["reason"] === reason;

beforeEach(() => {
  mock.timers.enable({ apis: ["setTimeout"] });
});
afterEach(() => {
  mock.timers.reset();
});

describe("an agent that checks itself", () => {
  it("is checked before it begins and while it runs, and not when it has nothing to do", async () => {
    const { agent, checks, finish } = open({ every: 100 });
    const first = agent.run(1, context);
    await settle();
    const second = agent.run(2, context);
    await settle();
    assert.equal(checks(), 1);
    for (let tick = 0; tick < 3; tick++) {
      mock.timers.tick(100);
      await settle();
    }
    assert.equal(checks(), 4);
    finish();
    assert.deepEqual(await Promise.all([first, second]), [2, 4]);
    await agent.reset();
    mock.timers.tick(1_000);
    await settle();
    assert.equal(checks(), 4);
  });

  it("runs nothing when it is unwell, and has its worker ended by a reset that throws", async () => {
    const ward = open();
    ward.behave(boom);
    await assert.rejects(ward.agent.run(1, context), unhealthy("the model is gone"));
    await assert.rejects(ward.agent.reset(), unhealthy("the model is gone"));
    ward.behave(() => undefined);
    await assert.rejects(ward.agent.run(1, context), unhealthy("the model is gone"), "once unwell, it stays so");
  });

  it("gives up all that it runs when it falls ill meanwhile", async () => {
    const ward = open({ every: 100 });
    const runs = [1, 2].map((input) => assert.rejects(ward.agent.run(input, context), unhealthy("the model is gone")));
    await settle();
    ward.behave(boom);
    mock.timers.tick(100);
    await Promise.all(runs);
    await assert.rejects(ward.agent.reset());
  });

  it("is unwell when its check hangs", async () => {
    const ward = open({ patience: 50 });
    ward.behave(() => new Promise(() => undefined));
    const run = assert.rejects(ward.agent.run(1, context), unhealthy("its check took longer than 50 ms"));
    mock.timers.tick(50);
    await run;
  });

  it("keeps its own reset, and refuses times that are none", async () => {
    let resets = 0;
    const { agent } = open({
      reset: () => {
        resets++;
      },
    });
    await agent.reset();
    assert.equal(resets, 1);
    for (const field of ["every", "patience"])
      assert.throws(
        () => open({ [field]: 0 }),
        (error: RuntimeError) => error.code === "agent/manifest-invalid" && error.detail["field"] === `health.${field}`,
      );
  });
});
