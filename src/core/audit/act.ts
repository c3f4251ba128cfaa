/**
 * The audit log: for every batch one line that says who asked for what and what was decided, chained by SHA-256. Lines
 * hold no payloads: the digest of the batch binds them. (The analysers of archives, `plugins/audit`, are another thing.)
 */
import type { ErrorData } from "../errors.ts";
import type { JsonText } from "../json.ts";
import type { Fact, Request } from "../kernel.ts";

/** A command as the engine met it. */
export interface Noted {
  /** `page:<session>`, `link:<worker>`, or `host`: due times and what the host itself has seen. */
  readonly by: string;
  readonly command: Request;
  readonly at: number;
  /** Where its events begin among those of the batch, and how many there are. */
  readonly first: number;
  readonly count: number;
  readonly refused?: ErrorData | undefined;
}

/** What is told of a command or an event beside its type and id: never a payload. */
const TOLD = [
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
  "attempt",
  "status",
  "workflow",
  "version",
  "execution",
  "node",
  "priority",
  "epoch",
] as const;

/** Characters of a text that are kept. */
const MAX_TOLD = 500;

type Told = Readonly<Record<string, string | number | boolean>>;

/** What is told of data: id and scalars of known names. */
function tell(data: unknown): readonly [id: string, told?: Told] {
  const fields = data as Readonly<Record<string, unknown>>;
  const told: Record<string, string | number | boolean> = {};
  let isAny = false;
  for (const name of TOLD) {
    const value = fields[name];
    if (typeof value === "string") told[name] = value.slice(0, MAX_TOLD);
    else if (typeof value === "number" || typeof value === "boolean") told[name] = value;
    else continue;
    isAny = true;
  }
  const { code } = (fields["error"] ?? {}) as Partial<ErrorData>;
  if (code !== undefined) told["error"] = code;
  const id = typeof fields["id"] === "string" ? fields["id"] : "";
  return isAny || code !== undefined ? [id, told] : [id];
}

/** Bookkeeping of the wires, and nobody's act. */
const WIRING = "session.advance";

/** The acts of a batch as a JSON array: `by`, `do`, `id`, `at`; `with` what; `seq` and `then`, or why it was `refused`. */
export function encodeActs(acts: readonly Noted[], events: readonly Fact[], from: number): JsonText {
  const told = acts
    .filter(({ command }) => command.type !== WIRING)
    .map(({ by, command, at, first, count, refused }) => {
      const [id, given] = tell(command.data);
      const then = events.slice(first, first + count).map(({ type, data }) => [type, ...tell(data)]);
      return {
        by,
        do: command.type,
        id,
        at,
        with: given,
        ...(refused ? { refused: refused.code, why: refused.message.slice(0, MAX_TOLD) } : { seq: from + first, then }),
      };
    });
  return JSON.stringify(told);
}
