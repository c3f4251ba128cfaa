/** Dynamic nodes, and workers that put out graphs. */
import type { WorkflowInput } from "../../../src/core/workflows/definition.ts";
import { completes, type Behaviour } from "./kit.ts";
import { task, type Ran } from "./runs.ts";

export type Node = WorkflowInput["nodes"][number];
export type Plan = (given: string, index: number, refused: number) => unknown;

export const dynamic = (more: object = {}): Node => ({
  id: "d",
  type: "dynamic",
  capabilities: ["work"],
  retry: { maxAttempts: 1 },
  allow: { capabilities: ["work"] },
  ...more,
});
export const workflow = (more: object = {}, extra: Partial<WorkflowInput> = {}): WorkflowInput => ({
  id: "w",
  nodes: [dynamic(more)],
  ...extra,
});

/** Puts out graphs where it is asked for them, and otherwise its input. */
export const plans =
  (plan: Plan, others: Behaviour = completes(1)): Behaviour =>
  (one) => {
    const [, index, refused] = /\/(\d+)\.plan(\d*)$/u.exec(one.task.id) ?? [];
    if (index === undefined) return others(one);
    const output = plan(one.task.input, Number(index), refused === "" ? 0 : Number(refused) - 1);
    return completes(1, JSON.stringify(output))(one);
  };

export const chain = (from: string): object => ({
  nodes: [task("a", from), task("b", "nodes.a.output + 1")],
  edges: [{ from: "a", to: "b" }],
});

export const typesOf = ({ disk }: Ran, type: string): readonly { readonly data: object }[] =>
  disk.events().filter((event) => event.type === type);
