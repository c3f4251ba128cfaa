/** Agents that do their work well, late, twice, badly or not at all, as the seed says for each attempt. */
import { defineAgent, type AgentContext, type AgentDefinition } from "../../src/agent.ts";
import { mailbox } from "../../src/messages.ts";
import { createChance, type Chance } from "../../src/testing/simulation/chance.ts";
import type { Oracle } from "../../src/testing/simulation/oracle/oracle.ts";
import { addUp } from "./graphs.ts";
import { checkGiven, keepLong, outputOf, streamSome, tellTales, type Given, type Telling } from "./telltales.ts";

const anything = {
  "~standard": { version: 1, vendor: "simulation", validate: (value: unknown) => ({ value }) },
} as const;

export interface Conduct {
  /** How often an attempt goes wrong, from 0 to 1; set to 0 when faults are over. */
  trouble: number;
}

interface Adding {
  readonly add?: number;
  readonly of?: readonly number[];
}

/** What agents are told to say of themselves: by the path of their script. */
export function createAgents(
  seed: number,
  conduct: Conduct,
  oracle: () => Oracle,
  here: () => object,
): ReadonlyMap<string, AgentDefinition<never>> {
  const memories = new WeakMap<object, { readonly epoch: number; readonly secrets: Map<string, string> }>();
  const recall = (epoch: number): Map<string, string> => {
    const process = here();
    const known = memories.get(process);
    if (known?.epoch === epoch) return known.secrets;
    const secrets = new Map<string, string>(); // what another host has given this one can't know
    if (!known || known.epoch < epoch) memories.set(process, { epoch, secrets });
    return secrets;
  };
  const make = (name: string, slots: number, capability = name): AgentDefinition<never> =>
    defineAgent({
      name,
      version: "1.0.0",
      capabilities: [capability],
      slots,
      input: anything,
      output: anything,
      run(input: unknown, context) {
        const { id, attempt } = context.task;
        const remembered = recall(oracle().epochOf(id, attempt));
        return perform({ seed, conduct, oracle: oracle(), remembered }, input, context);
      },
    }) as unknown as AgentDefinition<never>;
  return new Map([
    ["/a.js", make("a", 2)],
    ["/b.js", make("b", 2)],
    ["/c.js", make("c", 1, "b")],
  ]);
}

interface Stage {
  readonly seed: number;
  readonly conduct: Conduct;
  readonly oracle: Oracle;
  /** What its worker keeps from one attempt to the next. */
  readonly remembered: Map<string, string>;
}

async function perform(
  { seed, conduct, oracle, remembered }: Stage,
  input: unknown,
  context: AgentContext,
): Promise<unknown> {
  const { id, attempt } = context.task;
  oracle.began(id, attempt);
  const chance = createChance(hash(`${seed} ${id} ${attempt}`));
  const telling: Telling = { chance, oracle, context, remembered };
  const given = Object(input) as Given;
  checkGiven(telling, given);
  await pause(chance.below(chance.often(0.1) ? 3_000 : 200));
  const name = id.split("/").at(-1) ?? "";
  if (/^bad_/u.test(name)) throw Object.assign(new Error("as its name says"), { retryable: false });
  if (/^flaky_/u.test(name) && attempt === 1) throw new Error("once, as its name says");
  if (chance.often(conduct.trouble)) await misbehave(chance, context);
  const { add, of = [] } = Object(input) as Adding;
  if (chance.often(0.3)) await leaveMarks({ chance, oracle }, context);
  if (given.along || chance.often(0.05)) await streamSome(telling);
  if (given.bulk !== undefined) await keepLong(telling, given);
  if (chance.often(given.secret ? 0.7 : 0.1)) await tellTales(telling, given);
  const sum = add === undefined ? undefined : addUp(add, of);
  const { said, heard } = sum === undefined ? outputOf(telling, input) : { said: sum, heard: sum };
  oracle.gave(id, attempt, JSON.stringify(heard ?? null));
  return said;
}

async function misbehave(chance: Chance, { signal }: AgentContext): Promise<void> {
  switch (chance.below(6)) {
    case 0:
      throw new Error("boom");
    case 1:
      await new Promise(() => undefined); // never, and whoever waits must help himself
      return;
    case 2:
      void Promise.reject(new Error("nobody takes this"));
      await pause(50);
      return;
    case 3:
      await pause(chance.below(8_000)); // late: beyond most timeouts
      return;
    case 4:
      throw Object.assign(new Error("not even an error's fields are right"), { code: 7, retryable: "perhaps" });
    default:
      await pause(chance.below(1_000));
      signal.throwIfAborted();
  }
}

async function leaveMarks(
  { chance, oracle }: { readonly chance: Chance; readonly oracle: Oracle },
  context: AgentContext,
): Promise<void> {
  const { id, attempt } = context.task;
  context.progress(chance.next());
  const value = await context.once("paid", async () => {
    oracle.effect(id, attempt, "paid");
    await pause(chance.below(20));
    return attempt;
  });
  oracle.look();
  const recorded = oracle.tasks.get(id)?.effects.get("paid");
  oracle.claim(
    recorded === JSON.stringify(value),
    "effects",
    () => `task ${id} got ${value}, and ${recorded ?? "nothing"} is recorded`,
  );
  if (chance.often(0.5)) await context.checkpoint({ attempt });
  if (chance.often(0.3)) {
    const about = { recipient: "box 1", type: "heartbeat", key: "k", ttl: 5_000, payload: { id } };
    await mailbox(context).send({ ...about, id: `of ${id}`.slice(0, 200) });
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

function hash(text: string): number {
  let sum = 0;
  for (const unit of text) sum = (Math.imul(sum, 31) + (unit.codePointAt(0) ?? 0)) | 0;
  return sum;
}
