/** `troupe/batch`: agents that do the work of many tasks at once. */
export { batched, type Batched, type BatchOptions } from "./workers/batch.ts";
