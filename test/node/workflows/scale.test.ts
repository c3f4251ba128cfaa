/** The proofs of large definitions take time by their size, whatever their shape is. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { WorkflowInput } from "../../../src/core/workflows/definition.ts";
import { validate } from "../../../src/core/workflows/proofs/validate.ts";

type Node = WorkflowInput["nodes"][number];
type Edge = NonNullable<WorkflowInput["edges"]>[number];

const task = (id: string, input = "null"): Node => ({ id, type: "task", capabilities: ["x"], input });
const decision = (id: string): Node => ({ id, type: "decision" });
const join = (id: string, mode: number): Node => ({ id, type: "join", mode });
const edge = (path: string, when?: string): Edge => {
  const [from = "", to = ""] = path.split(">");
  return { from, to, ...(when !== undefined && { when }) };
};

describe("ten thousand nodes", () => {
  const COUNT = 10_000;
  const ids = Array.from({ length: COUNT }, (_none, at) => `n${String(at)}`);
  const shapes: Record<string, { nodes: Node[]; edges: Edge[] }> = {
    "in a row, each reading the one before": {
      nodes: ids.map((id, at) => task(id, at === 0 ? "input" : `nodes.n${String(at - 1)}.output`)),
      edges: ids.slice(1).map((id, at) => edge(`n${String(at)}>${id}`)),
    },
    "in a row, each reading the first": {
      nodes: ids.map((id, at) => task(id, at === 0 ? "input" : "nodes.n0.output")),
      edges: ids.slice(1).map((id, at) => edge(`n${String(at)}>${id}`)),
    },
    "side by side into one join of half of them": {
      nodes: [...ids.slice(1).map((id) => task(id)), join("n0", COUNT / 2)],
      edges: ids.slice(1).map((id) => edge(`${id}>n0`)),
    },
    "of decisions that part and meet again": {
      nodes: ids.map((id, at) => (at % 4 === 0 ? decision(id) : task(id, at % 4 === 3 ? "nodes.n1.output" : "null"))),
      edges: ids.flatMap((_id, at) => {
        const [d, a, b, c, e] = [0, 1, 2, 3, 4].map((step) => `n${String(at + step)}`);
        if (at % 4 > 0) return [];
        const on = at + 4 < COUNT ? [edge(`${c ?? ""}>${e ?? ""}`)] : [];
        return [
          edge(`${d ?? ""}>${a ?? ""}`, `input.q${String(at)}`),
          edge(`${d ?? ""}>${b ?? ""}`),
          edge(`${a ?? ""}>${c ?? ""}`),
          edge(`${b ?? ""}>${c ?? ""}`),
          ...on,
        ];
      }),
    },
    "of decisions that never meet again": {
      nodes: ids.map((id, at) => (at % 2 === 0 ? decision(id) : task(id))),
      edges: ids.flatMap((id, at) =>
        at % 2 > 0 || at + 2 >= COUNT
          ? at % 2
            ? []
            : [edge(`${id}>n${String(at + 1)}`)]
          : [edge(`${id}>n${String(at + 1)}`), edge(`${id}>n${String(at + 2)}`, `input.q${String(at)}`)],
      ),
    },
    "in one circle": {
      nodes: ids.map((id) => task(id)),
      edges: ids.map((id, at) => edge(`${id}>n${String((at + 1) % COUNT)}`)),
    },
  };
  for (const [name, { nodes, edges }] of Object.entries(shapes))
    it(`${name} are proved in no time`, (t) => {
      const started = performance.now();
      const found = validate({ id: "w", nodes, edges });
      const took = performance.now() - started;
      t.diagnostic(`${took.toFixed(0)} ms: ${[...new Set(found.map(({ code }) => code))].join()}`);
      assert.ok(took < 4_000, `${String(took)} ms`); // under 1 s on a quiet machine
    });
});
