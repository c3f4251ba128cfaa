/** What helps to test Troupe's adapters, and programs that use them. */
export { journalConformance } from "./testing/journal-conformance.ts";
export type { ConformanceOptions, JournalCase, JournalHarness, Provocation } from "./testing/journal/harness.ts";
export { rehearse, type Rehearsal, type RehearsalOptions } from "./testing/rehearse.ts";
export type {
  SimulatedAgent,
  SimulatedDifference,
  SimulatedOutcome,
  SimulateOptions,
  SimulationReport,
} from "./testing/simulation/simulate.ts";
import type { SimulateOptions, SimulationReport } from "./testing/simulation/simulate.ts";
import type { WorkflowInput } from "./core/workflows/definition.ts";

/**
 * Runs a workflow with its agents in virtual time, and again with the host killed behind every event that it took; tells
 * what came out otherwise. While it runs, the globals of this thread are the simulation's: timers, clock, chance, locks.
 * @throws RuntimeError `command/invalid` for an option that is none, and when the run doesn't end though nothing disturbs
 *   it; `workflow/invalid`. Error when another simulation runs in this thread.
 */
export async function simulate(workflow: WorkflowInput, options: SimulateOptions): Promise<SimulationReport> {
  const [{ runSimulation }, { loadEntries }] = await Promise.all([
    import("./testing/simulation/simulate.ts"),
    import("./simulation-entries.ts"),
  ]);
  return runSimulation(loadEntries, workflow, options);
}
