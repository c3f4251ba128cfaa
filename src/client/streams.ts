/** Reading what a task streams and logs: piece by piece, each asked for when the one before was taken. */
import { decodeJson } from "../core/json.ts";
import type { StreamChannel, StreamPage } from "../core/protocol.ts";
import type { Connection } from "./connection.ts";
import type { StreamItem, StreamOptions } from "./runtime.ts";

export interface ReadOptions extends StreamOptions {
  readonly task: string;
  readonly channel: StreamChannel;
  readonly reader: string;
}

/** Ends with the task; a host that changes meanwhile is asked anew. @throws RuntimeError `runtime/closed` */
export async function* readStream(
  { ask }: Pick<Connection, "ask">,
  { task, channel, reader, from = 0, attempt = 0 }: ReadOptions,
): AsyncGenerator<StreamItem, void, undefined> {
  let at = { from, attempt };
  for (;;) {
    const page = (await ask({ type: "stream", task, channel, reader, ...at })) as StreamPage;
    for (const [place, text] of page.items.entries())
      yield { attempt: page.attempt, offset: page.from + place, value: decodeJson(text, channel) };
    if (page.ended) return;
    at = { from: page.from + page.items.length, attempt: page.attempt };
  }
}
