/**
 * The audit log: for every batch one line that says who asked for what and what was decided, chained by SHA-256. Lines
 * hold no payloads: the digest of the batch binds them. (The analysers of archives, `plugins/audit`, are another thing.)
 */
import type { ErrorData } from "../errors.ts";
import type { JsonText } from "../json.ts";
import type { Fact, Request } from "../kernel.ts";

/** What is kept of a command until its batch. */
export interface Noted {
  /** `page:<session>`, `link:<worker>`, or `host`: due times and what the host itself has seen. */
  readonly by: string;
  readonly type: string;
  /** What is told of its data, which isn't kept: refused commands may wait long for a batch. */
  readonly told: Told;
  readonly at: number;
  /** Where its events begin among those of the batch, and how many there are. */
  readonly first: number;
  readonly count: number;
  readonly refused?: { readonly code: string; readonly why: string } | undefined;
}

/** A command as the engine meets it. */
export interface Act {
  readonly by: string;
  readonly command: Request;
  readonly at: number;
  readonly refused?: ErrorData | undefined;
}

/** What is told of a command or an event beside its type and id: never a payload. */
const NAMES: ReadonlySet<string> = new Set([
  "name",
  "key",
  "by",
  "approved",
  "expired",
  "approver",
  "reason",
  "agent",
  "link",
  "session",
  "cause",
  "mode",
  "sender",
  "recipient",
  "delivery",
  "from",
  "to",
  "step",
  "number",
  "level",
  "attempt",
  "status",
  "workflow",
  "version",
  "execution",
  "node",
  "priority",
  "epoch",
]);

/** Characters of a text that are kept. */
const MAX_TOLD = 500;

type Told = readonly [id: string, fields?: Readonly<Record<string, string | number | boolean>>];

type Fields = Readonly<Record<string, unknown>>;

interface Parts {
  readonly id?: unknown;
  readonly error?: Partial<ErrorData>;
  readonly actor?: { readonly id: string };
  readonly vote?: Fields;
}

/** What is told of data: id and scalars of known names, the code of an error, who was at the page, and a vote. */
function tell(data: unknown): Told {
  const fields = data as Fields;
  const { id, error, actor, vote } = fields as Parts;
  const told: Record<string, string | number | boolean> = {};
  let isAny = collect(told, fields);
  if (vote) isAny = collect(told, vote) || isAny;
  if (error?.code !== undefined) told["error"] = error.code;
  if (actor) told["actor"] = actor.id;
  isAny ||= !!actor || error?.code !== undefined;
  const own = typeof id === "string" ? id : "";
  return isAny ? [own, told] : [own];
}

/** Whether there was any. */
function collect(told: Record<string, string | number | boolean>, fields: Fields): boolean {
  let isAny = false;
  for (const name of Object.keys(fields)) {
    if (!NAMES.has(name)) continue;
    const value = fields[name];
    if (typeof value === "string") told[name] = value.slice(0, MAX_TOLD);
    else if (typeof value === "number" || typeof value === "boolean") told[name] = value;
    else continue;
    isAny = true;
  }
  return isAny;
}

/** What is kept of an act; nothing of it holds the command's data. */
export function noted({ by, command: { type, data }, at, refused }: Act, first: number, count: number): Noted {
  const why = refused && { refused: { code: refused.code, why: refused.message.slice(0, MAX_TOLD) } };
  return { by, type, told: tell(data), at, first, count, ...why };
}

/** Bookkeeping of the wires, and nobody's act. */
const WIRING = "session.advance";

/**
 * The acts of a batch as a JSON array: `by`, `do`, `id`, `at`; `with` what; `seq` and `then`, or why it was `refused`.
 * `omitted`: how many were refused beside these, which it says in the end.
 */
export function encodeActs(acts: readonly Noted[], events: readonly Fact[], from: number, omitted = 0): JsonText {
  const lines = acts
    .filter(({ type }) => type !== WIRING)
    .map(({ by, type, told: [id, given], at, first, count, refused }) => {
      const then = events.slice(first, first + count).map((event) => [event.type, ...tell(event.data)]);
      return {
        by,
        do: type,
        id,
        at,
        with: given,
        ...(refused ? { refused: refused.code, why: refused.why } : { seq: from + first, then }),
      };
    });
  const rest = omitted > 0 ? [{ by: "host", do: "acts.omitted", id: "", with: { count: omitted } }] : [];
  return JSON.stringify([...lines, ...rest]);
}
