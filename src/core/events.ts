/** Events as the journal keeps them. */
import { decodeJson, type JsonText } from "./json.ts";
import type { CoreEvent } from "./runtime.ts";

/** Reads the events of a batch. */
export function decodeEvents(text: JsonText): readonly CoreEvent[] {
  return decodeJson(text, "batch") as readonly CoreEvent[];
}

/** Writes the events of a batch. */
export function encodeEvents(events: readonly CoreEvent[]): JsonText {
  return JSON.stringify(events);
}
