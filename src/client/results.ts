/** Waiting for the end of tasks and runs, however often hosts change meanwhile. */
import { decodeError, RuntimeError, type ErrorData } from "../core/errors.ts";
import { decodeJson, type JsonText } from "../core/json.ts";
import { isSpilled } from "../core/payload/reference.ts";
import type { ArchiveRow } from "../core/ports.ts";
import type { Connection } from "./connection.ts";
import type { Mirror } from "./mirror.ts";

/** What a finished task and a finished run have in common. */
interface Ended {
  readonly id: string;
  readonly status: string;
  readonly output?: string | undefined;
  readonly error?: ErrorData | undefined;
  readonly alias?: string | undefined;
}

interface Waiter {
  readonly resolve: (output: unknown) => void;
  readonly reject: (error: RuntimeError) => void;
}

export interface Results {
  result(id: string): Promise<unknown>;
  finished(record: Ended): void;
  refused(id: string, error: RuntimeError): void;
  /** A welcome may have skipped the end of something: ask the archive for what is no longer live. */
  recheck(): void;
  fail(error: RuntimeError): void;
}

export function createResults(connection: Connection, mirror: Mirror): Results {
  const waiters = new Map<string, Waiter[]>();
  let failure: RuntimeError | undefined;

  const settle = (record: Ended): void => {
    const waiting = waiters.get(record.id);
    if (!waiting) return;
    waiters.delete(record.id);
    const { alias } = record;
    if (alias === undefined) {
      for (const waiter of waiting) deliver(connection, record, waiter);
      return;
    }
    waiters.set(alias, [...(waiters.get(alias) ?? []), ...waiting]); // it stands for another
    void lookUp(alias);
  };
  const refused = (id: string, error: RuntimeError): void => {
    const waiting = waiters.get(id) ?? [];
    waiters.delete(id);
    for (const { reject } of waiting) reject(error);
  };
  const lookUp = async (id: string): Promise<void> => {
    try {
      // Of what was said last about it: that it was refused may mean only that it had ended by then.
      const refusal = await connection.outbox.settled(id).then(
        () => undefined,
        (error: unknown) => error as RuntimeError,
      );
      if (mirror.isLive(id) || !waiters.has(id)) return;
      const row = (await connection.ask({ type: "archived", id })) as ArchiveRow | undefined;
      if (mirror.isLive(id)) return;
      if (row) settle(decodeJson(row.text, id) as Ended);
      else throw refusal ?? new RuntimeError("task/unknown", { id });
    } catch (error) {
      refused(id, error instanceof RuntimeError ? error : new RuntimeError("unknown", { id }, { cause: error }));
    }
  };

  return {
    result: (id) =>
      new Promise((resolve, reject) => {
        if (failure) throw failure;
        waiters.set(id, [...(waiters.get(id) ?? []), { resolve, reject }]);
        void lookUp(id);
      }),
    finished: settle,
    refused,
    recheck() {
      for (const id of waiters.keys()) void lookUp(id);
    },
    fail(error) {
      failure = error;
      for (const id of [...waiters.keys()]) refused(id, error);
    },
  };
}

/** Or the promise of it. */
function valueOf(connection: Connection, text: JsonText, id: string): unknown {
  if (!isSpilled(text)) return decodeJson(text, id);
  return import("./payloads.ts").then(({ loadText }) => loadText(connection, text, id));
}

function deliver(connection: Connection, ended: Ended, { resolve, reject }: Waiter): void {
  const { id, status, output, error } = ended;
  if (status === "completed") resolve(output === undefined ? undefined : valueOf(connection, output, id));
  else if (error && status !== "cancelled") reject(decodeError(error));
  else reject(new RuntimeError("workflow" in ended ? "execution/cancelled" : "task/cancelled", { id, status }));
}
