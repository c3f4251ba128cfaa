import * as v from "valibot";
import { encodeError, RuntimeError, type ErrorData } from "../core/errors.ts";
import type { Journal } from "../core/ports.ts";
import { QuerySchema, type Query } from "../core/protocol.ts";
import { writeBlob } from "./blobs.ts";
import type { Streams } from "./streams.ts";

/** The answer to a page's question: a value, or why there is none. */
export type QueryAnswer =
  { readonly value: unknown; readonly error?: undefined } | { readonly error: ErrorData; readonly value?: undefined };

export interface QueryParts {
  readonly journal: Journal;
  readonly streams: Pick<Streams, "read">;
}

export async function answerQuery(parts: QueryParts, raw: unknown): Promise<QueryAnswer> {
  try {
    return { value: await answer(parts, v.parse(QuerySchema, raw)) };
  } catch (error) {
    const known = error instanceof RuntimeError ? error : invalid(error);
    return { error: encodeError(known) };
  }
}

function invalid(cause: unknown): RuntimeError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new RuntimeError("command/invalid", { reason }, { cause });
}

async function answer({ journal, streams }: QueryParts, query: Query): Promise<unknown> {
  switch (query.type) {
    case "archived":
      return journal.archived(query.id);
    case "archive": {
      const { type: _, ...filter } = query;
      return journal.archive(filter);
    }
    case "stream":
      return streams.read(query);
    case "blob.read":
      return journal.blobs.get(query.blob, query.offset, query.size);
    case "blob.write":
      return writeBlob(journal, query.owner, query.bytes);
  }
}
