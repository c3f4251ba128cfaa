/** Fields of one node that don't go together, and edges that it can't do with. */
import type { PlannedNode } from "./graph.ts";
import { errorAt, type Problem } from "./proofs/problem.ts";

export function nodeProblems({ node, outs, inlets }: PlannedNode): Problem[] {
  const { id, type } = node;
  const wrong = (code: Problem["code"], message: string): Problem[] => [
    errorAt(code, `the ${type} '${id}' ${message}`, id),
  ];
  const normal = outs.filter(({ codes }) => !codes);
  switch (node.type) {
    case "decision": {
      if (normal.length === 0) return wrong("decision-empty", "has no edge to decide on");
      const defaults = normal.filter(({ when }) => !when).length;
      if (node.mode === "all" || defaults === 1) return [];
      return wrong(
        "decision-default",
        `needs one edge without a condition, for when no other holds; it has ${String(defaults)}`,
      );
    }
    case "join":
      if (typeof node.mode !== "number" || node.mode <= inlets) return [];
      return wrong(
        "join-never-fires",
        `waits for ${String(node.mode)} of ${String(inlets)} inlets and can never go on`,
      );
    case "map":
    case "loop":
      if ((node.task === undefined) === (node.body === undefined))
        return wrong("node-invalid", "needs either a task or a body");
      if (type === "loop" && (node.while === undefined) === (node.until === undefined))
        return wrong("node-invalid", "needs either 'while' or 'until'");
      return [];
    case "parallel": {
      const { onFailure } = node;
      if (typeof onFailure !== "object" || onFailure.needed <= normal.length) return [];
      return wrong("node-invalid", `needs ${String(onFailure.needed)} of ${String(normal.length)} branches`);
    }
    case "timer":
      if ((node.for === undefined) === (node.until === undefined))
        return wrong("node-invalid", "needs either 'for' or 'until'");
      if (node.timeZone !== undefined && node.until === undefined)
        return wrong("node-invalid", "has a time zone, but no 'until'");
      if (node.tolerance === undefined || node.late !== "fire") return [];
      return wrong("node-invalid", "has a tolerance, but fires however late it is");
    case "event":
    case "monitor":
      if (node.onTimeout === undefined || node.timeout !== undefined) return [];
      return wrong("node-invalid", "says what happens on timeout, but has none");
    case "dynamic":
      if (!node.allow.types.includes("subworkflow") || node.allow.workflows.length > 0) return [];
      return wrong("node-invalid", "allows subworkflows, but names no workflows");
    case "errorHandler":
      return inlets > 0 ? [] : wrong("unreachable", "is reached by the failure of no node");
    case "task":
    case "subworkflow":
    case "approval":
      return [];
  }
}
