import { encodeError, RuntimeError, type ErrorData } from "../core/errors.ts";
import type { Engine } from "../core/engine.ts";
import type { BatchDigest } from "../core/audit/verify.ts";
import type { DeadMail } from "../core/mail/mail.ts";
import type { Journal, Vault } from "../core/ports.ts";
import { QuerySchema, type Query } from "../core/protocol.ts";
import { explainMatch, whyWaiting } from "../core/scheduling/why.ts";
import { createLookups } from "../core/workflows/lookups.ts";
import { previewMigration } from "../core/workflows/migration.ts";
import { standingOf } from "../core/workflows/standing.ts";
import { versionsOf } from "../core/workflows/versions.ts";
import { sha256 } from "./audit.ts";
import { decideSigned, identifySession, pageOf, registerKey, type ApprovingParts } from "./approving.ts";
import { writeBlob } from "./blobs.ts";
import { listDeadLetters } from "./dead-letters.ts";
import type { MailDesk } from "./mail.ts";
import { parse } from "./parse.ts";
import type { Streams } from "./streams.ts";

/** The answer to a page's question: a value, or why there is none. */
export type QueryAnswer =
  { readonly value: unknown; readonly error?: undefined } | { readonly error: ErrorData; readonly value?: undefined };

export interface QueryParts extends ApprovingParts {
  readonly journal: Journal;
  readonly streams: Pick<Streams, "read">;
  readonly mail: MailDesk;
  readonly vault?: Vault | undefined;
}

export async function answerQuery(parts: QueryParts, session: string, raw: unknown): Promise<QueryAnswer> {
  try {
    return { value: await answer(parts, session, parse(QuerySchema, raw, "command/invalid")) };
  } catch (error) {
    const known = error instanceof RuntimeError ? error : invalid(error);
    return { error: encodeError(known) };
  }
}

function invalid(cause: unknown): RuntimeError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new RuntimeError("command/invalid", { reason }, { cause });
}

/** What was looked at may not be durable yet, and nothing leaves before that (E2). */
function durable(engine: Engine): Promise<void> {
  return new Promise((resolve, reject) => {
    engine.whenDurable((stopped) => {
      if (stopped) reject(stopped);
      else resolve();
    });
  });
}

const none = (): Promise<never> =>
  Promise.reject(new RuntimeError("secret/unavailable", { reason: "this host keeps none" }));
const noVault: Vault = { get: none, set: none, delete: none, list: none };

/** What was decided, or why not, once it is durable. */
async function recorded<T>(engine: Engine, deciding: Promise<T>): Promise<T> {
  await deciding.catch(() => undefined);
  await durable(engine);
  return deciding;
}

async function answer(parts: QueryParts, session: string, query: Query): Promise<unknown> {
  const { journal, engine, streams, vault = noVault, mail } = parts;
  switch (query.type) {
    case "archived":
      return journal.archived(query.id);
    case "archive": {
      const { type: _, ...filter } = query;
      return journal.archive(filter);
    }
    case "dead-letters":
      return listDeadLetters(journal, query);
    case "stream":
      if (!engine.state.tasks.tasks.has(query.task)) await durable(engine); // that it has ended is told when it is so
      return streams.read(query);
    case "identify":
      return recorded(engine, identifySession(parts, session, query));
    case "approver": {
      const { type: _, ...asked } = query;
      return recorded(engine, registerKey(parts, session, asked));
    }
    case "decide":
      return recorded(engine, decideSigned(parts, session, query));
    case "audit":
      return query.batches ? digests(journal, query.after) : readAudit(journal, query.after);
    case "mail.take":
      return mail.take(pageOf(session), query);
    case "mail.dead":
    case "schedules":
    case "versions":
    case "migration":
    case "standing":
    case "why":
    case "explain": {
      const found = look(engine, query);
      await durable(engine);
      if (query.type === "why" && !found) throw new RuntimeError("task/unknown", { id: query.id });
      return found;
    }
    case "secret.set":
      return vault.set(query.name, query.value);
    case "secret.delete":
      if (!(await vault.delete(query.name))) throw new RuntimeError("secret/unknown", { secret: query.name });
      return undefined;
    case "secret.list":
      return vault.list();
    case "blob.read":
      return journal.blobs.get(query.blob, query.offset, query.size);
    case "blob.write":
      return writeBlob(journal, query.owner, query.bytes);
  }
}

type Look = Extract<
  Query,
  { readonly type: "mail.dead" | "schedules" | "versions" | "migration" | "standing" | "why" | "explain" }
>;

/** What the live state says now, durable or not. */
function look(engine: Engine, query: Look): unknown {
  const { state } = engine;
  switch (query.type) {
    case "mail.dead":
      return deadMail(engine, query);
    case "schedules":
      return [...state.schedules.schedules.values()];
    case "versions":
      return versionsOf(state.workflows, query.workflow);
    case "migration":
      return previewMigration(createLookups(), state.workflows, query);
    case "standing":
      return standingOf(state, query.id, query.within);
    case "why":
      engine.submit([{ type: "limit.wake", data: { id: "" } }]); // what time alone has changed is seen first
      return whyWaiting(state, engine.scheduler.index, query.id, Date.now());
    case "explain":
      return explainMatch(state, query.requirement);
  }
}

/** Lines behind the n-th; without a number where the log ends. */
function readAudit({ audit }: Journal, after: number | undefined): Promise<unknown> {
  if (!audit) throw new RuntimeError("journal/unavailable", { reason: "this journal keeps no audit log" });
  return after === undefined ? audit.end() : audit.read(after, 200);
}

/** The most batches of one answer, and about how many characters of them. */
const MAX_DIGESTS = 1_000;
const MAX_DIGESTED = 1 << 22;

/** The batches behind an event that are still there, oldest first: from, to, and SHA-256 of the text. */
async function digests(journal: Journal, after = 0): Promise<BatchDigest[]> {
  const found: BatchDigest[] = [];
  let size = 0;
  try {
    for await (const { from, to, text } of journal.read(after)) {
      found.push([from, to, await sha256(text)]);
      if (found.length >= MAX_DIGESTS || (size += text.length) > MAX_DIGESTED) break;
    }
  } catch (error) {
    const { base = 0 } = ((error as Partial<RuntimeError>).detail ?? {}) as { readonly base?: number };
    if (base > after) return digests(journal, base);
    if (found.length === 0) throw error; // otherwise it is for the next answer to say so
  }
  return found;
}

function deadMail({ state }: Engine, query: Extract<Query, { type: "mail.dead" }>): DeadMail[] {
  const { recipient, after, limit = 50 } = query;
  const list = [...state.mail.dead.values()].reverse();
  const from = after === undefined ? 0 : list.findIndex(({ id }) => id === after) + 1;
  const own = list.slice(from).filter((one) => recipient === undefined || recipient === one.recipient);
  return own.slice(0, limit);
}
