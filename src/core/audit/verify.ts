/** Whether an exported audit log is what was written. docs/audit.md has the same as a script that needs nothing of Troupe. */

import { RuntimeError } from "../errors.ts";

/** A point of the log: its n-th line, and the SHA-256 of that line in hexadecimal digits. */
export interface AuditHead {
  readonly n: number;
  readonly hash: string;
}

/** The head before the first line. */
export const NO_HEAD: AuditHead = { n: 0, hash: "0".repeat(64) };

/** The first line of an export whose older lines were let go of. */
export function checkpointLine(checkpoint: AuditHead): string {
  return JSON.stringify({ checkpoint });
}

/** The last line of an export. */
export function headLine(head: AuditHead): string {
  return JSON.stringify({ head });
}

/** A batch of the journal: its first and last event, and the SHA-256 of its text. */
export type BatchDigest = readonly [from: number, to: number, digest: string];

/** The journal's batches that are still there. */
export interface KeptBatches {
  /** The first event that they tell of. */
  readonly from: number;
  /** By the last event of each. */
  readonly digests: ReadonlyMap<number, string>;
  /** From this event on they can't be read: why. */
  readonly damage?: { readonly seq: number; readonly reason: string } | undefined;
}

/** What is read of a log. */
export interface AuditSource {
  end(): Promise<AuditHead | undefined>;
  /** Up to so many lines behind the n-th, oldest first. */
  read(after: number, limit: number): Promise<readonly string[]>;
}

/**
 * The log up to where it ends now, as JSON lines: all that is kept, and at the end the head.
 * @throws RuntimeError `journal/conflict` when lines that weren't read yet are let go of meanwhile: begin again.
 */
export async function* exportAudit(source: AuditSource): AsyncGenerator<string, void, undefined> {
  const { n: last, hash } = (await source.end()) ?? NO_HEAD;
  for (let n = 0; n < last;) {
    const some = await source.read(n, 200);
    if (some.length === 0) break; // the head won't fit what is there
    for (const text of some) {
      const line = read(text) ?? {};
      if (n > 0 && "checkpoint" in line) throw new RuntimeError("journal/conflict", { line: n + 1, ...line });
      n = ((line["checkpoint"] ?? line) as Partial<AuditHead>).n ?? n + 1;
      if (n <= last) yield text;
    }
  }
  yield headLine({ n: last, hash });
}

/** A line of the log. */
export interface AuditLine {
  readonly n: number;
  /** The journal's events that it is about. */
  readonly from: number;
  readonly to: number;
  readonly at: number;
  readonly epoch: number;
  /** Characters of all lines before. */
  readonly sum: number;
  /** SHA-256 of the batch's text. */
  readonly batch: string;
  /** SHA-256 of the line before. */
  readonly prev: string;
  /** With this line, the lines up to that one were let go of. */
  readonly cut?: number;
  readonly acts: readonly unknown[];
}

/** A stretch of events. */
export interface Stretch {
  readonly from: number;
  readonly to: number;
}

export type AuditVerdict =
  | {
      readonly ok: true;
      /** Lines that were looked at, without checkpoint and head. */
      readonly lines: number;
      /** Batches of the journal that were looked at: those that are still there, each by the digest in its line. */
      readonly batches: number;
      readonly head: AuditHead;
      /** The first event that it tells of. */
      readonly from: number | undefined;
      /** Events that a release without an audit log has written. */
      readonly gaps: readonly Stretch[];
    }
  /** The line, counted from 1 in what was given, that is not what was written, or doesn't follow. */
  | { readonly ok: false; readonly line: number; readonly problem: string };

export interface VerifyOptions {
  /** SHA-256 of the text's UTF-8, as hexadecimal digits. */
  readonly digest: (text: string) => Promise<string>;
  /** Heads that were kept elsewhere: each must be in the log, or before its first line. */
  readonly anchors?: readonly AuditHead[];
  /** Called when the first line was read: so it has at least the batches of all lines. Default: none are looked at. */
  readonly batches?: (() => Promise<KeptBatches>) | undefined;
}

interface Walk {
  /** Lines read so far, of whatever kind. */
  line: number;
  lines: number;
  batches: number;
  kept: KeptBatches | undefined;
  head: AuditHead;
  from: number | undefined;
  to: number;
  gaps: Stretch[];
  /** The checkpoint that some later line has to speak of. */
  owed: number | undefined;
  /** The hashes that were anchored, by line. */
  readonly anchors: Map<number, string>;
}

/** Walks over an export, as `audit.export()` gives it: lines, and at the end their head. */
export async function verifyAudit(
  lines: AsyncIterable<string> | Iterable<string>,
  { digest, anchors = [], batches }: VerifyOptions,
): Promise<AuditVerdict> {
  const walk: Walk = {
    line: 0,
    lines: 0,
    batches: 0,
    kept: undefined,
    head: NO_HEAD,
    from: undefined,
    to: 0,
    gaps: [],
    owed: undefined,
    anchors: new Map(anchors.map(({ n, hash }) => [n, hash])),
  };
  let ended = false;
  for await (const text of lines) {
    walk.line++;
    walk.kept ??= await batches?.();
    const problem = ended ? "it goes on behind its head" : await step(walk, text, digest);
    if (problem !== undefined) return { ok: false, line: walk.line, problem };
    ended = text === headLine(walk.head);
  }
  const problem = endOf(walk, ended);
  if (problem !== undefined) return { ok: false, line: walk.line, problem };
  const { lines: count, batches: compared, head, from, gaps } = walk;
  return { ok: true, lines: count, batches: compared, head, from, gaps };
}

/** What is wrong with the line, if anything is. */
async function step(walk: Walk, text: string, digest: VerifyOptions["digest"]): Promise<string | undefined> {
  if (text === headLine(walk.head)) return undefined;
  const line = read(text);
  if (!line) return "not JSON";
  if ("head" in line) return "not the head of these lines";
  if ("checkpoint" in line) {
    const { n, hash } = line["checkpoint"] as AuditHead;
    if (walk.line > 1 || text !== checkpointLine({ n, hash })) return "not a checkpoint";
    walk.owed = n;
    walk.head = { n, hash };
    return undefined;
  }
  const { n, prev, from, to, cut } = line as unknown as AuditLine;
  if (n !== walk.head.n + 1) return `line ${String(walk.head.n + 1)} is missing`;
  if (prev !== walk.head.hash) return `the line before is not what was written`;
  if (walk.lines > 0 && from > walk.to + 1) walk.gaps.push({ from: walk.to + 1, to: from - 1 });
  if (cut === walk.owed) walk.owed = undefined;
  walk.from ??= from;
  walk.to = to;
  walk.lines++;
  walk.head = { n, hash: await digest(text) };
  if ((walk.anchors.get(n) ?? walk.head.hash) !== walk.head.hash) return "not what was anchored";
  return compare(walk, line as unknown as AuditLine);
}

/** What is wrong with the journal's batch of the line, if it is still there. */
function compare(walk: Walk, { from, to, batch }: AuditLine): string | undefined {
  const { kept } = walk;
  if (!kept || from < kept.from) return undefined;
  const { damage, digests } = kept;
  if (damage && damage.seq <= to) return `the journal can't be read at event ${damage.seq}: ${damage.reason}`;
  const found = digests.get(to);
  if (found === undefined) return "the journal doesn't have its batch";
  if (found !== batch) return "the journal's batch is not the one that was decided";
  walk.batches++;
  return undefined;
}

function read(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    return Object(JSON.parse(text)) as Readonly<Record<string, unknown>>;
  } catch {
    return undefined;
  }
}

function endOf({ owed, head, anchors }: Walk, ended: boolean): string | undefined {
  if (!ended) return "it ends without its head";
  if (owed !== undefined) return "no line tells that those before the checkpoint were let go of";
  if (Math.max(0, ...anchors.keys()) > head.n) return "it ends before what was anchored";
  return undefined;
}
