/** What helps to test Troupe's adapters, and programs that use them. */
export { journalConformance } from "./testing/journal-conformance.ts";
export type { ConformanceOptions, JournalCase, JournalHarness, Provocation } from "./testing/journal/harness.ts";
export { rehearse, type Rehearsal, type RehearsalOptions } from "./testing/rehearse.ts";
