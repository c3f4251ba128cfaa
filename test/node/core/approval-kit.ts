/** Runs with one approval, and what is said to it. */
import type { ApprovalAnswer } from "../../../src/core/approvals/approval.ts";
import type { Actor } from "../../../src/core/hosting/hosting.ts";
import type { CoreCommand, CoreEvents } from "../../../src/core/runtime.ts";
import type { WorkflowInput } from "../../../src/core/workflows/definition.ts";
import type { Execution } from "../../../src/core/workflows/execution.ts";
import { never, openWorld, type Host } from "./kit.ts";
import { registerWorkflow, startExecution } from "./things.ts";

export type Node = WorkflowInput["nodes"][number];
export type Ask = Partial<Extract<Node, { type: "approval" }>>;
export type World = Awaited<ReturnType<typeof openWorld>>;

export const actor = (id: string, ...roles: readonly string[]): Actor => ({ id, roles, level: "session" });
export const ask = (more: Ask = {}): Node => ({
  id: "ask",
  type: "approval",
  message: "Go on?",
  onReject: "continue",
  ...more,
});

export const says = (who: Actor | string, approved: boolean, more: Partial<ApprovalAnswer> = {}): CoreCommand => ({
  type: "approval.answer",
  data: { id: "e/ask", approved, ...(typeof who === "string" ? { by: who } : { actor: who }), ...more },
});

export async function open(more: Ask = {}, { input = {}, by }: { input?: unknown; by?: string } = {}): Promise<World> {
  const world = await openWorld(1, { behaviour: never });
  const started = startExecution("e", "w", input) as Extract<CoreCommand, { type: "execution.start" }>;
  await world.submit(registerWorkflow({ id: "w", nodes: [ask(more)], output: "nodes.ask.output" }), {
    ...started,
    data: { ...started.data, ...(by !== undefined && { actor: actor(by) }) },
  });
  return world;
}

export const eventsOf = <K extends keyof CoreEvents>(
  { committed }: Pick<Host, "committed">,
  type: K,
): CoreEvents[K][] => committed.flatMap((event) => (event.type === type ? [event.data as CoreEvents[K]] : []));
export const rowOf = ({ disk }: World): Execution =>
  JSON.parse(disk.archived.findLast(({ kind }) => kind === "execution")?.text ?? "null") as Execution;
export const outputOf = (world: World): Record<string, unknown> =>
  JSON.parse(rowOf(world).output ?? "null") as Record<string, unknown>;
export const openOne = (world: Pick<Host, "engine">): object | undefined =>
  world.engine.state.approvals.approvals.get("e/ask");
