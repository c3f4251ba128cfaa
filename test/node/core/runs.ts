/** Runs of workflows, from their start to their end. */
import assert from "node:assert/strict";
import type { CoreEvent } from "../../../src/core/runtime.ts";
import type { WorkflowInput } from "../../../src/core/workflows/definition.ts";
import type { Execution } from "../../../src/core/workflows/execution.ts";
import { eventsOf, type Disk } from "./disk.ts";
import { completes, openWorld, type Behaviour } from "./kit.ts";
import { join, registerAgent, registerWorkflow, startExecution } from "./things.ts";

export interface Ran {
  readonly row: Execution;
  readonly disk: Disk & { events(): readonly CoreEvent[] };
  readonly output: unknown;
}

export const work = { capabilities: ["work"], retry: { maxAttempts: 1 } };

export function task(id: string, input?: string, more: object = {}): WorkflowInput["nodes"][number] {
  return { id, type: "task", ...work, ...(input !== undefined && { input }), ...more };
}

export function rowOf({ archived }: Pick<Disk, "archived">, id: string): Execution | undefined {
  const row = archived.findLast((one) => one.kind === "execution" && one.id === id);
  return row && (JSON.parse(row.text) as Execution);
}

/** Registers workflows, runs the last one as `e` to its end with workers that do `behaviour`, and looks that nothing is left. */
export async function run(
  workflows: readonly WorkflowInput[],
  input: unknown,
  behaviour: Behaviour = completes(1),
): Promise<Ran> {
  const world = await openWorld(1, { behaviour });
  await world.submit(registerAgent("a", { slots: 100 }), join("a-1", "a"));
  assert.deepEqual(await world.submit(...workflows.map(registerWorkflow)), []);
  assert.deepEqual(await world.submit(startExecution("e", workflows.at(-1)?.id ?? "", input)), []);
  await world.finish();
  assert.equal(world.stopped(), undefined);
  const { executions, nodes, items } = world.engine.state.workflows;
  assert.equal(executions.size + nodes.size + items.size, 0, "it ended");
  assert.equal(world.engine.state.tasks.tasks.size, 0);
  const row = rowOf(world.disk, "e");
  assert.ok(row);
  const disk = Object.assign(world.disk, { events: () => eventsOf(world.disk) });
  return { row, disk, output: row.output === undefined ? undefined : JSON.parse(row.output) };
}
