/** Deeds with what doesn't stand in records: secrets, payloads that are too long for one, and streams. */
import type { WorkflowInput } from "../../src/core/workflows/definition.ts";
import { CANARY } from "../../src/testing/simulation/oracle/payloads.ts";
import { expect, makeTask, startRun, type Doing } from "./expecting.ts";

/** A text longer than this, in UTF-16 units, doesn't stand in a record. */
const INLINE = 262_144;

/** A run whose task is given a secret, and whose other task gets what the first one says of it. */
export const guarded: WorkflowInput = {
  id: "guarded",
  nodes: [
    { id: "ask", type: "task", capabilities: ["b"], input: "{'secret': {'s1': secrets.s1}, 'n': input.n}" },
    { id: "pass", type: "task", capabilities: ["a"], input: "nodes.ask.output" },
  ],
  edges: [{ from: "ask", to: "pass" }],
  output: "nodes.pass.output",
};

/** A run that hands a long payload on. */
export const bulky: WorkflowInput = {
  id: "bulky",
  nodes: [
    { id: "t1", type: "task", capabilities: ["a"], timeout: 20_000, input: "input" },
    { id: "t2", type: "task", capabilities: ["b"], timeout: 20_000, input: "nodes.t1.output" },
  ],
  edges: [{ from: "t1", to: "t2" }],
  output: "nodes.t2.output",
};

/** Another value each time, with what JSON writes in another way. */
export function setSecret(doing: Doing, name: string): void {
  const { runtime, chance } = doing;
  const value = `"${CANARY}\\${chance.below(1e9).toString(36)}é\n`;
  expect(doing, `secret ${name}`, [], runtime.secrets.set(name, value));
}

/** Secrets change and go; a task and a run are given what there is. */
export function useSecret(doing: Doing): void {
  const { runtime, chance, number } = doing;
  const name = chance.pick(["s1", "s2"]);
  if (chance.often(0.1)) expect(doing, `deleting ${name}`, ["secret/unknown"], runtime.secrets.delete(name));
  else if (chance.often(0.5)) setSecret(doing, name);
  if (chance.often(0.4)) startRun(doing, "guarded", { n: number });
  else
    makeTask(doing, {
      capabilities: ["b"],
      input: { number, secret: { s1: null, s2: null }, ...(chance.often(0.1) && { bulk: fill(number, 500) }) },
      secrets: ["s1", "s2"].map((one) => ({ name: one, at: ["secret", one] })),
    });
}

/** So that an agent can tell whether it has all of it. */
export const fill = (number: number, more: number): string => String(number % 10).repeat(INLINE + more);

export function makeLong(doing: Doing): void {
  const { chance, number } = doing;
  const input = { number, bulk: fill(number, chance.below(1_000)) };
  if (chance.often(0.5)) startRun(doing, "bulky", input);
  else makeTask(doing, { input, timeout: 20_000 });
}

/** A task whose stream and log are read from their beginnings to their ends. */
export function readAlong(doing: Doing): void {
  const { runtime, stage, page } = doing;
  const task = makeTask(doing, { input: { along: true } });
  const who = page.process.name;
  const epochOf = (): number => runtime.store.getState().epoch;
  const read = async (): Promise<void> => {
    await runtime.settled(task);
    const [reader, epoch, isLive] = [stage.oracle.streams.reader(who, task), epochOf(), runtime.tasks.has(task)];
    for await (const item of runtime.stream(task)) {
      stage.oracle.told(who, JSON.stringify(item.value));
      reader.take(item);
    }
    reader.end(isLive && epoch === epochOf());
  };
  const follow = async (): Promise<void> => {
    for await (const { value } of runtime.logs(task)) stage.oracle.told(who, JSON.stringify(value));
  };
  expect(doing, `the stream of ${task}`, [], read());
  expect(doing, `the log of ${task}`, [], follow());
}

/** What pages are told beside events has no secret in it. */
export function listen({ runtime, stage, page }: Doing): void {
  for (const type of ["log", "progress"] as const)
    runtime.on(type, (told) => {
      stage.oracle.told(page.process.name, JSON.stringify(told));
    });
}
