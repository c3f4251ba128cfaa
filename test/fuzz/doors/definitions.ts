/** Workflow definitions: drawn from their schema, joined to graphs, bent, registered, and run by workers that answer. */
import { NodeSchema } from "../../../src/core/workflows/definition.ts";
import { everything } from "../../node/core/everything.ts";
import { drawScript } from "../../node/core/oracle.ts";
import type { Door, Episode, Look } from "../door.ts";
import { bend, bendText, drawFrom, type Hints } from "../schema.ts";
import { openStand, type Stand, type Told } from "../stand.ts";
import type { Tape } from "../tape.ts";
import { drawJson, drawJsonText, textOf } from "../values.ts";
import { judge } from "./pages.ts";

const EXPRESSIONS = [
  "input",
  "1",
  "index < 2",
  "true",
  "'a'",
  "[1, 2]",
  "input.items",
  "{'a': [input]}",
  "nodes.n0.output",
  "nodes.n1.output.approved",
  "size(input) > 0",
  "item",
  "last",
  "error.code",
  "vars.v + 1",
  "metrics.failed > 0",
  "has(inlets.n1)",
  "input.map(x, x)",
  "{'nodes': []}",
  "1 +",
  "__proto__",
  "nodes.n0.output.constructor",
] as const;

const IDS = ["n0", "n1", "n2", "n3", "n4", "n5"] as const;

const expression = (tape: Tape): string =>
  tape.once(20) ? bendText(tape, tape.pick(EXPRESSIONS)) : tape.pick(EXPRESSIONS);
const SCHEMAS = [
  { type: "object" },
  { type: "string", maxLength: 2 },
  { anyOf: [{ type: "null" }] },
  { $ref: "#" },
] as const;

const HINTS: Hints = {
  ...Object.fromEntries(
    ["input", "output", "items", "key", "while", "until", "when", "payload", "for"].map((field) => [field, expression]),
  ),
  id: (tape) => tape.pick(IDS),
  from: (tape) => tape.pick(IDS),
  to: (tape) => tape.pick(IDS),
  scope: (tape) => [tape.pick(IDS)],
  name: (tape) => tape.pick(["x", "v", "set"]),
  variable: () => "v",
  set: (tape) => ({ v: expression(tape) }),
  variables: (tape) => ({
    v: { type: tape.pick(["number", "list", "any", "string"]), merge: tape.pick(["last", "sum", "append", "union"]) },
  }),
  capabilitie: (tape) => tape.pick(["a", "b", "a@^1"]),
  capability: (tape) => tape.pick(["a", "b"]),
  workflow: (tape) => tape.pick(["minor", "w", "undoing", "none"]),
  version: () => undefined,
  message: (tape) => tape.pick(["ok?", "{{input}}", "{{nodes.n0.output}} {{", "{{1 +}}"]),
  edit: (tape) => tape.pick(SCHEMAS),
  timeZone: (tape) => tape.pick(["UTC", "Europe/Berlin", "Nowhere"]),
  timeout: (tape) => tape.pick([1, 50, 5_000]),
  max: (tape) => 1 + tape.below(4),
};

function drawNodes(tape: Tape): unknown[] {
  return Array.from({ length: 1 + tape.below(5) }, (_none, at) => {
    const node = drawFrom(tape, NodeSchema, HINTS) as Record<string, unknown>;
    node["id"] = tape.once(25) ? tape.pick(IDS) : `n${String(at)}`;
    return node;
  });
}

function drawEdges(tape: Tape, count: number): unknown[] {
  return Array.from({ length: tape.below(count + 2) }, () => {
    const from = tape.below(count);
    const to = tape.once(8) ? tape.below(count + 1) : from + 1 + tape.below(Math.max(1, count - from - 1));
    const when = tape.once(3) ? { when: expression(tape) } : {};
    const on = tape.once(5) ? { on: "error" } : {};
    return { from: `n${String(from)}`, to: `n${String(to)}`, ...when, ...on };
  });
}

function drawDefinition(tape: Tape): unknown {
  switch (tape.below(5)) {
    case 0:
    case 1: {
      const nodes = drawNodes(tape);
      const variables = tape.once(2) ? { variables: { v: { type: "any" } } } : {};
      const output = tape.once(4) ? { output: expression(tape) } : {};
      return { id: "w", nodes, edges: drawEdges(tape, nodes.length), ...variables, ...output };
    }
    case 2: {
      const nodes = drawNodes(tape);
      return {
        id: "w",
        nodes: [...nodes, { id: "m", type: "map", items: "[1]", body: { nodes: drawNodes(tape), edges: [] } }],
        edges: [],
      };
    }
    case 3:
      return { ...drawScript(tape, "w").workflow, id: "w" };
    default:
      return { ...structuredClone(tape.pick(everything)), id: "w" };
  }
}

function drawText(tape: Tape): string {
  const definition = drawDefinition(tape);
  const whole = tape.below(5) < 3 ? definition : bend(tape, definition);
  const text = textOf(whole);
  return tape.once(12) ? bendText(tape, text) : text;
}

export const definitions: Door = {
  name: "definitions",
  length: 8,
  async open(tape, look): Promise<Episode> {
    const stand = await openStand(tape);
    const names = ["a", "b"];
    await stand.command(
      ...names.map((name) => ({
        type: "agent.register",
        data: { name, version: "1.0.0", capabilities: [name], url: "/a.js", slots: 8 },
      })),
      ...everything
        .slice(0, 2)
        .map((workflow) => ({ type: "workflow.register", data: { text: JSON.stringify(workflow) } })),
    );
    for (const name of names) await stand.post({ kind: "joined", link: `l${name}`, agent: `${name}@1.0.0` });
    let runs = 0;
    return {
      async turn() {
        const text = drawText(tape);
        const before = stand.state();
        const written = stand.events.length;
        look.input(text);
        const told = await stand.command({ type: "workflow.register", data: { text, strict: tape.once(6) } });
        judge(stand, look, before, written, told);
        if (told.refused.length > 0) return;
        const id = `r${String(++runs)}`;
        const input = tape.once(3) ? drawJsonText(tape) : '{"items":[1,2],"flags":[true,false]}';
        await play(
          stand,
          tape,
          look,
          await stand.command({ type: "execution.start", data: { id, workflow: "w", input } }),
        );
      },
      close: () => stand.prove(),
      drop() {
        stand.stop();
      },
    };
  },
};

/** Workers answer, people answer, and time passes. */
async function play(stand: Stand, tape: Tape, _look: Look, started: Told): Promise<void> {
  let told = started;
  for (let round = 0; round < 6; round++) {
    for (const [link, frame] of told.orders) {
      if (frame.kind !== "run") continue;
      const { task, attempt } = frame;
      const error = { name: "Error", message: "m", code: "boom" };
      const output = tape.once(2) ? drawOutput(tape) : frame.input;
      await stand.relay(link, [
        tape.once(5) ? { kind: "failed", task, attempt, error } : { kind: "done", task, attempt, output },
      ]);
    }
    for (const { id } of [...stand.engine.state.approvals.approvals.values()].slice(0, 3))
      await stand.command({ type: "approval.answer", data: { id, approved: !tape.once(3), by: "ann" } });
    told = await stand.advance(tape.pick([100, 1_000, 10_000]));
  }
}

/** What a worker puts out; of a dynamic node it is a graph. */
function drawOutput(tape: Tape): string {
  if (tape.once(2)) return textOf(drawJson(tape));
  const nodes = drawNodes(tape);
  return textOf(bendSome(tape, { nodes, edges: drawEdges(tape, nodes.length) }));
}

const bendSome = (tape: Tape, value: unknown): unknown => (tape.once(3) ? bend(tape, value) : value);
