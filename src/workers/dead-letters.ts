/** Tasks that have failed or timed out for good: found in the archive, newest first. */
import { decodeJson } from "../core/json.ts";
import type { ArchivePage, ArchiveRow, Journal } from "../core/ports.ts";
import type { Query } from "../core/protocol.ts";
import type { Task } from "../core/tasks/task.ts";

/** Rows that are looked at for one answer; the next one goes on after them. */
const MAX_SCAN = 2_000;
const PAGE = 100;
const LIMIT = 50;

type DeadLetterQuery = Omit<Extract<Query, { readonly type: "dead-letters" }>, "type">;

/** A page of rows; there may be fewer than the limit though more follow. */
export async function listDeadLetters(
  journal: Pick<Journal, "archive">,
  { task: type, after, limit = LIMIT }: DeadLetterQuery,
): Promise<ArchivePage> {
  const found: ArchiveRow[] = [];
  let cursor = after;
  for (let scanned = 0; scanned < MAX_SCAN; scanned += PAGE) {
    const before = cursor;
    const { rows, next } = await journal.archive({ kind: "task", after: before, limit: PAGE });
    for (const [place, row] of rows.entries()) {
      if (!isDead(row, type) || found.push(row) < limit) continue;
      if (place === rows.length - 1) return { rows: found, next };
      // A cursor for the middle of a page: the end of a shorter one.
      const shorter = await journal.archive({ kind: "task", after: before, limit: place + 1 });
      return { rows: found, next: shorter.next };
    }
    cursor = next;
    if (cursor === undefined) break;
  }
  return { rows: found, next: cursor };
}

function isDead({ text }: ArchiveRow, type: string | undefined): boolean {
  if (!text.includes('"failed"') && !text.includes('"timed-out"')) return false; // most rows need not be read
  const task = decodeJson(text, "archive") as Partial<Task>;
  const dead = task.status === "failed" || task.status === "timed-out";
  return dead && (type === undefined || task.type === type);
}
