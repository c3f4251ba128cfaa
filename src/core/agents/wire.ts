/** What both ends of an agent's channels keep to; without a library, as it goes into every agent's bundle. */
import type { ErrorData } from "../errors.ts";

/** The most frames in one posted array. */
export const MAX_FRAMES = 4_096;

/** The largest blob that an agent may write at once, in bytes. */
export const MAX_BLOB: number = 64 * 1024 * 1024;

/** What a worker says on its control port by itself: an error that belongs to no attempt. All else there is Comlink's. */
export interface CrashMessage {
  readonly type: "CRASH";
  readonly error: ErrorData;
}
