/**
 * Secrets on their way to a worker, and on their way back: their values are put into the input of an attempt when it is
 * handed over, and whatever the attempt says has the mark of a secret where its value stood.
 */
import type { MailAsk } from "../core/mail/delivery.ts";
import type { AgentFrame } from "../core/agents/protocol.ts";
import type { Engine } from "../core/engine.ts";
import { RuntimeError, type ErrorData } from "../core/errors.ts";
import { decodeJson, encodeJson, MAX_SPILLED, type JsonText } from "../core/json.ts";
import type { Vault } from "../core/ports.ts";
import { markOf, type SecretUse } from "../core/tasks/secrets.ts";

type Known = readonly (readonly [value: string, mark: string])[];

export interface Secrets {
  /**
   * The input with the values in it; from now on its worker is listened to, whatever it says of this attempt or others.
   * @throws RuntimeError `secret/unknown`, `secret/not-granted`, `secret/unavailable`, `task/input-invalid`
   */
  fill(task: string, link: string, input: JsonText): Promise<JsonText>;
  /** What a worker says, without values. */
  clean<F extends AgentFrame>(link: string, frame: F): F;
  /** What is said of a worker that is gone. */
  cleanError(link: string, error: ErrorData | undefined): ErrorData | undefined;
}

/** `vault` is undefined where nobody keeps secrets. */
export function createSecrets(engine: Engine, vault: Vault | undefined): Secrets {
  /** What workers were given, by link: one may remember it in its next attempt. */
  const given = new Map<string, Known>();
  return {
    async fill(task, link, input) {
      for (const gone of given.keys()) if (!engine.state.agents.links.has(gone)) given.delete(gone);
      const { agents, tasks } = engine.state;
      const uses = tasks.tasks.get(task)?.secrets ?? [];
      const { agent = "" } = agents.links.get(link) ?? {};
      const values = new Map<string, string>();
      for (const { name } of uses) {
        if (!agents.agents.get(agent)?.secrets?.includes(name))
          throw new RuntimeError("secret/not-granted", { secret: name, agent });
        const value = values.get(name) ?? (await read(vault, name));
        values.set(name, value);
      }
      const known = new Map([...(given.get(link) ?? []), ...[...values].flatMap(formsOf)]);
      given.set(link, [...known]);
      return put(input, uses, values);
    },
    clean(link, frame) {
      const known = given.get(link);
      return known ? cleanFrame(frame, known) : frame;
    },
    cleanError(link, error) {
      const known = given.get(link);
      return error && known ? cleanError(error, known) : error;
    },
  };
}

/** JSON may stand in JSON: so often is a value looked for in the form that it has there. */
const DEPTH = 4;

/** How the value looks as it is, and as JSON in JSON; most look the same. */
function formsOf([name, value]: readonly [string, string]): Known {
  const forms = [value];
  for (let form = value; forms.length < DEPTH; forms.push(form)) form = JSON.stringify(form).slice(1, -1);
  return [...new Set(forms)].reverse().map((form) => [form, markOf(name)]);
}

async function read(vault: Vault | undefined, name: string): Promise<string> {
  if (!vault) throw new RuntimeError("secret/unavailable", { secret: name, reason: "this host keeps none" });
  const value = await vault.get(name);
  if (value === undefined) throw new RuntimeError("secret/unknown", { secret: name });
  return value;
}

function put(input: JsonText, uses: readonly SecretUse[], values: ReadonlyMap<string, string>): JsonText {
  const whole = { input: decodeJson(input, "input") };
  for (const { name, at } of uses) {
    const path = ["input", ...at];
    const last = path.pop() ?? "";
    let holder: unknown = whole;
    for (const step of path) holder = partOf(holder, step);
    if (partOf(holder, last) === undefined) throw new RuntimeError("task/input-invalid", { secret: name, at });
    (holder as Record<string | number, unknown>)[last] = values.get(name);
  }
  return encodeJson(whole.input, "input", MAX_SPILLED);
}

function partOf(holder: unknown, step: string | number): unknown {
  const isHolder = typeof holder === "object" && holder !== null && Object.hasOwn(holder, step);
  return isHolder && Array.isArray(holder) === (typeof step === "number")
    ? (holder as Record<string | number, unknown>)[step]
    : undefined;
}

function cleanFrame<F extends AgentFrame>(frame: F, known: Known): F;
function cleanFrame(frame: AgentFrame, known: Known): AgentFrame {
  switch (frame.kind) {
    case "done":
      return { ...frame, output: cleanPayload(frame.output, known) };
    case "checkpoint":
      return { ...frame, value: cleanPayload(frame.value, known) };
    case "effect":
      return { ...frame, key: cleanText(frame.key, known), value: cleanJson(frame.value, known) };
    case "failed":
      return { ...frame, error: cleanError(frame.error, known) };
    case "stream":
      return { ...frame, items: frame.items.map((item) => cleanJson(item, known)) };
    case "progress":
      return { ...frame, ...(frame.note !== undefined && { note: cleanText(frame.note, known) }) };
    case "log":
      return { ...frame, message: cleanText(frame.message, known) };
    case "mail":
      return { ...frame, ask: cleanAsk(frame.ask, known) };
    default:
      return frame;
  }
}

function cleanAsk({ type, data }: MailAsk, known: Known): MailAsk {
  const fields = Object.entries(data).map(([name, value]): [string, unknown] => [
    name,
    typeof value !== "string" ? value : (name === "payload" ? cleanJson : cleanText)(value, known),
  ]);
  return { type, data: Object.fromEntries(fields) } as MailAsk; // texts are still texts
}

function cleanText(text: string, known: Known): string {
  return known.reduce((cleaned, [form, mark]) => cleaned.replaceAll(form, mark), text);
}

function cleanPayload(payload: JsonText | Uint8Array, known: Known): JsonText | Uint8Array {
  if (typeof payload === "string") return cleanJson(payload, known);
  const text = decode(payload);
  const cleaned = cleanJson(text, known);
  return cleaned === text ? payload : new TextEncoder().encode(cleaned);
}

const decode = (bytes: Uint8Array): string => new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);

/** Within a text of JSON a mark is as good as what it replaces; where a number had the value, nothing else is kept. */
function cleanJson(text: JsonText, known: Known): JsonText {
  const cleaned = cleanText(text, known);
  if (cleaned === text) return text;
  try {
    JSON.parse(cleaned);
    return cleaned;
  } catch {
    return JSON.stringify(known[0]?.[1]);
  }
}

function cleanError(error: ErrorData, known: Known): ErrorData {
  try {
    return JSON.parse(cleanText(JSON.stringify(error), known)) as ErrorData;
  } catch {
    return { name: "Error", message: "it can't be told without a secret", code: "secret/leaked" };
  }
}

/** @throws RuntimeError `secret/leaked` when bytes that an attempt wants to keep hold a value */
export function refuseLeak(
  { clean }: Pick<Secrets, "clean">,
  link: string,
  { task, attempt }: AgentFrame,
  bytes: Uint8Array,
): void {
  const message = decode(bytes);
  if (clean(link, { kind: "log", task, attempt, level: "info", message }).message !== message)
    throw new RuntimeError("secret/leaked", { task, reason: "the bytes hold a secret that the task was given" });
}
