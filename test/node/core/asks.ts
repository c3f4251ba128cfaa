/** A page's questions, answered by the host's own code over the disk of a test. */
import { decodeError } from "../../../src/core/errors.ts";
import type { ArchiveQuery, Journal } from "../../../src/core/ports.ts";
import { createMailDesk } from "../../../src/workers/mail.ts";
import { answerQuery } from "../../../src/workers/queries.ts";
import type { Disk } from "./disk.ts";
import type { Host } from "./kit.ts";

type Ask = (query: unknown) => Promise<unknown>;

/** Pages of the archive are short, so that whoever reads it has to go on. */
const MOST = 3;

function archiveOf({ archived }: Disk): Pick<Journal, "archived" | "archive"> {
  return {
    archived: (id) => Promise.resolve(archived.findLast((row) => row.id === id)),
    archive({ prefix = "", after = "", limit = MOST }: ArchiveQuery) {
      const rows = archived.filter((row) => row.id.startsWith(prefix) && row.id > after);
      const page = rows.toSorted((a, b) => (a.id < b.id ? -1 : 1)).slice(0, Math.min(limit, MOST));
      return Promise.resolve({ rows: page, next: page.length < MOST ? undefined : page.at(-1)?.id });
    },
  };
}

export function askHost({ engine, disk }: Host & { readonly disk: Disk }): Ask {
  const journal = archiveOf(disk) as Journal; // no question here reads more of it
  const streams = { read: () => Promise.reject(new Error("nothing streams")) };
  return async (query) => {
    const parts = { journal, engine, streams, mail: createMailDesk(engine) };
    const { value, error } = await answerQuery(parts, "p", query);
    if (error) throw decodeError(error);
    return value;
  };
}
