/**
 * Makes a line of every batch and chains it to the one before. The journal writes it in the batch's own transaction, so
 * the log ends where the journal ends, whatever befalls the host.
 */
import { checkpointLine, NO_HEAD, type AuditHead, type AuditLine } from "../core/audit/verify.ts";
import { decodeJson, type JsonText } from "../core/json.ts";
import type { AuditEnd, AuditStore, Batch, Journal } from "../core/ports.ts";

export interface AuditOptions {
  /** Characters of lines that are kept at least; at twice as many the older half is let go of. Default 16 Mi. */
  readonly keep?: number | undefined;
  /** Called with each durable head. Keep some elsewhere: a log alone can't show that all of it was rewritten. */
  readonly onAnchor?: ((head: AuditHead) => void) | undefined;
}

const KEEP = 16 * 1024 * 1024;

/** A journal whose batches bring lines. One that has no place for them is given back as it is. */
export function withAudit(journal: Journal, { keep = KEEP, onAnchor }: AuditOptions = {}): Journal {
  const { audit } = journal;
  if (!audit) return journal;
  let epoch = 0;
  let end: AuditEnd = { ...NO_HEAD, sum: 0 };
  let gone = 0; // characters that were let go of
  return {
    ...journal,
    async open() {
      const opening = await journal.open();
      epoch = opening.epoch;
      end = (await audit.end()) ?? end;
      gone = (await audit.read(0, 2)).map(sumOf).find((sum) => sum !== undefined) ?? 0;
      return opening;
    },
    async append(expected, { acts = "[]", ...batch }) {
      const { hash: prev, sum } = end;
      const n = end.n + 1;
      const cut = sum - gone > 2 * keep ? await cutBefore(audit, n, sum - keep) : undefined;
      const text = await spell(batch, { n, epoch, sum, ...(cut && { cut: cut.n }) }, prev, acts);
      const next = { n, hash: await sha256(text), sum: sum + text.length };
      await journal.append(expected, { ...batch, line: { text, end: next, cut } });
      end = next;
      gone = cut?.sum ?? gone;
      onAnchor?.({ n, hash: next.hash });
    },
  };
}

type Own = Pick<AuditLine, "n" | "epoch" | "sum" | "cut">;

async function spell({ from, to, at, text }: Batch, own: Own, prev: string, acts: JsonText): Promise<JsonText> {
  const fields = JSON.stringify({ ...own, from, to, at, batch: await sha256(text), prev });
  return `${fields.slice(0, -1)},"acts":${acts}}`;
}

/** The checkpoint before the first line that begins behind so many characters. */
async function cutBefore(
  audit: AuditStore,
  n: number,
  sum: number,
): Promise<{ readonly n: number; readonly text: string; readonly sum: number } | undefined> {
  const lineAt = async (at: number): Promise<Partial<AuditLine>> => {
    const [text] = await audit.read(at - 1, 1);
    return text === undefined ? {} : lineOf(text);
  };
  let [low, high] = [1, n - 1]; // lines know their sum, so the place is found by halving
  while (low < high) {
    const middle = (low + high) >> 1;
    if (((await lineAt(middle)).sum ?? 0) < sum) low = middle + 1;
    else high = middle;
  }
  const { prev: hash, sum: begins, n: found } = await lineAt(low);
  if (hash === undefined || begins === undefined || found !== low) return undefined; // damaged: it is for verifying to say so
  return { n: low - 1, sum: begins, text: checkpointLine({ n: low - 1, hash }) };
}

function sumOf(text: string): number | undefined {
  return lineOf(text).sum;
}

function lineOf(text: string): Partial<AuditLine> {
  try {
    return decodeJson(text) as Partial<AuditLine>;
  } catch {
    return {};
  }
}

/** Of the text's UTF-8, as hexadecimal digits. */
export async function sha256(text: string): Promise<string> {
  const bytes = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
