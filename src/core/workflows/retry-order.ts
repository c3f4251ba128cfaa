/** How it is asked for that a part of a finished run is done again. */
import * as v from "valibot";
import { PRIORITIES } from "../tasks/priority.ts";
import { MAX_NODES } from "./definition.ts";

const name = v.pipe(v.string(), v.minLength(1), v.maxLength(200));

export const ExecutionRetrySchema = v.strictObject({
  id: name,
  /** The finished run. */
  of: name,
  workflow: name,
  /** Default: the one that was registered last. */
  version: v.optional(name),
  input: v.string(),
  priority: v.optional(v.picklist(PRIORITIES)),
  /** Where to begin again. Default: wherever something has failed. */
  node: v.optional(name),
  /** Also all that comes behind. Default true. */
  downstream: v.optional(v.boolean(), true),
  /** Of the node and what comes behind it, only what has failed; of a map only its failed items. Default false. */
  onlyFailed: v.optional(v.boolean(), false),
  /** The nodes that have failed, and the maps of which items have. */
  failed: v.pipe(v.array(name), v.maxLength(MAX_NODES)),
  /** What the others put out, by `node`, or `node/index` of the items of maps. */
  outputs: v.record(v.string(), v.string()),
});
export type ExecutionRetry = v.InferOutput<typeof ExecutionRetrySchema>;
