/** What the patterns' tests share: small definitions, and what happened in which order. */
import assert from "node:assert/strict";
import type { WorkflowInput } from "../../../../src/core/workflows/definition.ts";
import { eventsOf, type Disk } from "../disk.ts";
import { openWorld, type Behaviour, type Host } from "../kit.ts";
import { rowOf, task } from "../runs.ts";
import { registerWorkflow, serve, startExecution } from "../things.ts";

export type Node = WorkflowInput["nodes"][number];
export type Edge = NonNullable<WorkflowInput["edges"]>[number];

/** `a>b`, `a>b if condition`, `a>b on error`. */
export function edge(text: string): Edge {
  const [path = "", condition] = text.split(" if ");
  const [route = "", error] = path.split(" on ");
  const [from = "", to = ""] = route.split(">");
  return { from, to, ...(condition !== undefined && { when: condition }), ...(error !== undefined && { on: "error" }) };
}

export const parallel = (id: string): Node => ({ id, type: "parallel" });
export const decision = (id: string, mode: "first" | "all" = "first"): Node => ({ id, type: "decision", mode });
export const join = (id: string, mode: "all" | "any" | number = "all"): Node => ({ id, type: "join", mode });

export function flow(nodes: readonly (Node | string)[], edges: readonly string[], more: object = {}): WorkflowInput {
  const all = nodes.map((node) => (typeof node === "string" ? task(node, `'${node}'`) : node));
  return { id: "w", nodes: all, edges: edges.map(edge), ...more };
}

/** Completes each task after so many milliseconds by its node, else after one, with its input. */
export function paced(delays: Readonly<Record<string, number>>): Behaviour {
  return ({ task: { id, input, parent }, attempt }) => [
    {
      after: delays[parent?.node ?? ""] ?? 1,
      command: { type: "task.complete", data: { id, attempt, output: input } },
    },
  ];
}

/** `started a`, `completed a`, `skipped b`, `failed c` of the run and of those within it, as far as they are asked for. */
export function historyOf(disk: Disk, ...kinds: readonly ("started" | "completed" | "skipped" | "failed")[]): string[] {
  return eventsOf(disk).flatMap(({ type, data }) => {
    const [noun, verb] = type.split(".");
    if (noun !== "node" || !("node" in data) || !kinds.some((kind) => kind === verb)) return [];
    return [`${String(verb)} ${data.node}`];
  });
}

export type World = Host & { readonly disk: Disk };

/** The workflow's first run `e`, under way. */
export async function begin(definition: WorkflowInput, input: unknown, behaviour: Behaviour): Promise<World> {
  const world = await openWorld(1, { behaviour });
  await world.submit(...serve("a", { slots: 50 }));
  assert.deepEqual(await world.submit(registerWorkflow(definition), startExecution("e", definition.id, input)), []);
  return world;
}

export function ended(world: World): readonly [status: string | undefined, output: unknown] {
  const row = rowOf(world.disk, "e");
  return [row?.status, row?.output === undefined ? undefined : JSON.parse(row.output)];
}

/** Begins, and lets time pass until it has ended. */
export async function play(
  definition: WorkflowInput,
  input: unknown = {},
  delays: Readonly<Record<string, number>> = {},
): Promise<World> {
  const world = await begin(definition, input, paced(delays));
  await world.finish();
  return world;
}
