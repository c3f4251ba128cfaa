/** The tasks that a node asks for. */
import type { Work } from "../tasks/order.ts";
import type { WorkflowNode } from "./definition.ts";

/** What kind of work a node asks for. */
export function workOf(node: WorkflowNode): Work | undefined {
  if (node.type === "task" || node.type === "dynamic") return node;
  return node.type === "map" || node.type === "loop" ? node.task : undefined;
}

/** The same, and what undoes it. */
export function worksOf(node: WorkflowNode): readonly Work[] {
  const undo = node.type === "task" ? node.compensate : undefined;
  return [workOf(node), undo].flatMap((work) => work ?? []);
}
