/** What agents do with what they are given beside numbers: they tell secrets wherever they can, keep and stream things. */
import { RuntimeError } from "../../src/core/errors.ts";
import type { AgentContext } from "../../src/agent.ts";
import { mailbox } from "../../src/messages.ts";
import type { Chance } from "../../src/testing/simulation/chance.ts";
import type { Oracle } from "../../src/testing/simulation/oracle/oracle.ts";
import { fill } from "./data.ts";

export interface Telling {
  readonly chance: Chance;
  readonly oracle: Oracle;
  readonly context: AgentContext;
  /** Secrets that this worker has been given so far: an agent may remember them. */
  readonly remembered: Map<string, string>;
}

export interface Given {
  readonly number?: number;
  readonly bulk?: string;
  readonly along?: boolean;
  readonly secret?: Readonly<Record<string, string>>;
}

/** What came is what was sent: a whole text, the last checkpoint, and secrets as they are. */
export function checkGiven({ oracle, context, remembered }: Telling, given: Given): void {
  const { id, attempt } = context.task;
  const { number = 0, bulk: text, secret } = given;
  const isWhole = text === undefined || text === fill(number, text.length - fill(0, 0).length);
  oracle.claim(isWhole, "payloads", () => `task ${id} got ${text?.length ?? 0} characters that nobody sent`);
  const known = oracle.tasks.get(id);
  if (known?.attempt === attempt) {
    const [had, has] = [known.givenCheckpoint ?? "null", JSON.stringify(context.checkpointed ?? null)];
    const say = (): string =>
      `attempt ${attempt} of ${id} got checkpoint ${has.slice(0, 99)}, kept was ${had.slice(0, 99)}`;
    oracle.claim(had === has, "payloads", say);
  }
  for (const [name, value] of Object.entries(secret ?? {})) {
    if (id.endsWith("/pass")) continue;
    oracle.secret(id, attempt, name, value);
    remembered.set(value, name);
  }
}

const markOf = (name: string): string => `[secret ${name}]`;

/** Something with all secrets in it, as values, keys, and JSON in JSON; and how it must look to others. */
function tales({ remembered }: Telling, about: string): { readonly said: unknown; readonly heard: unknown } {
  const all = [...remembered];
  const tell = (texts: readonly string[]): unknown => ({
    about,
    texts,
    deep: JSON.stringify(texts),
    ...Object.fromEntries(texts.map((text, place) => [`${place} ${text}`, `it is ${text}!`])),
  });
  return { said: tell(all.map(([value]) => value)), heard: tell(all.map(([, name]) => markOf(name))) };
}

/** The output, and how it must look to others. */
export function outputOf(telling: Telling, input: unknown): { readonly said: unknown; readonly heard: unknown } {
  const given = Object(input) as Given;
  if (!given.secret) return { said: input, heard: input };
  const { said, heard } = tales(telling, "output");
  return { said: { ...given, said }, heard: { ...given, secret: marked(telling, given.secret), said: heard } };
}

function marked({ remembered }: Telling, secret: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(secret).map(([key, value]) => [key, markOf(remembered.get(value) ?? key)]));
}

/** Says what it knows by one way or another. */
export async function tellTales(telling: Telling, given: Given): Promise<void> {
  const { chance, context, remembered } = telling;
  const { said } = tales(telling, "tale");
  const text = JSON.stringify(said);
  switch (chance.below(remembered.size > 0 ? 8 : 0)) {
    case 0:
      if (remembered.size > 0) throw Object.assign(new Error(`it is ${text}`), { detail: said, retryable: true });
      return;
    case 1:
      context.log("warn", text);
      return;
    case 2:
      context.progress(0.5, text.slice(0, 400));
      return;
    case 3:
      await context.checkpoint(given.bulk === undefined ? said : { said, bulk: given.bulk });
      return;
    case 4:
      await context.once([...remembered.keys()].join(" "), () => said);
      return;
    case 5:
      await mailbox(context).send({ recipient: "box 1", type: "heartbeat", ttl: 5_000, payload: { said } });
      return;
    case 6:
      await answerMail(telling, text);
      return;
    default:
      await refuseBytes(telling, text);
  }
}

/** Takes what is for its task, and says why it can't be done. */
async function answerMail({ context }: Telling, text: string): Promise<void> {
  const box = mailbox(context);
  await box.send({ recipient: `task:${context.task.id}`, type: "heartbeat", ttl: 5_000, payload: { text } });
  for (const message of await box.take({ of: "task", wait: 50 })) await message.terminate(text.slice(0, 300));
}

async function refuseBytes({ context, oracle }: Telling, text: string): Promise<void> {
  try {
    await context.blobs.write(new TextEncoder().encode(text));
    oracle.claim(false, "secrets", () => `${context.task.id} has stored bytes with a secret in them`);
  } catch (error) {
    if (!(error instanceof RuntimeError) || error.code !== "secret/leaked") throw error;
  }
}

/** Streams some items, at once and one after the other. */
export async function streamSome(telling: Telling): Promise<void> {
  const { chance, context, oracle } = telling;
  const { id, attempt } = context.task;
  for (let turn = chance.between(1, 3); turn > 0; turn--) {
    const sending = Array.from({ length: chance.between(1, 4) }, async (_none, place) => {
      const { said, heard } = tales(telling, `item ${turn} ${place}`);
      const taken = oracle.streams.sent(id, attempt, heard);
      await context.stream(said);
      taken();
    });
    await Promise.all(sending);
    context.log("info", `turn ${turn}`);
    await new Promise((resolve) => setTimeout(resolve, chance.below(60)));
  }
}

/** Keeps long checkpoints, one after the other. */
export async function keepLong({ context, chance }: Telling, given: Given): Promise<void> {
  for (let count = chance.below(3); count > 0; count--) await context.checkpoint({ count, bulk: given.bulk });
  if (chance.often(0.3)) await context.checkpoint({ short: true });
}
