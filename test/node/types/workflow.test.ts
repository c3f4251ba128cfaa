/* eslint-disable @typescript-eslint/no-unsafe-return, @typescript-eslint/no-unsafe-member-access -- what is refused has no type, and what nobody describes is any */
/** What the compiler lets through in a definition that is made by calls, and what becomes of it. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { cel, fromJSON, itemOf, returns, select, validate, workflow, type Problem } from "../../../src/workflow.ts";
import type { WorkflowInput } from "../../../src/core/workflows/definition.ts";
import { createChance, seedOf } from "../core/chance.ts";
import { drawScript } from "../core/oracle.ts";

declare module "../../../src/index.ts" {
  interface Capabilities {
    "built.write": {
      input: { topic: string; words?: number };
      output: { text: string; claims: string[]; score: number };
    };
    "built.check": { input: { claim: string }; output: boolean };
    "built.send": { input: string };
  }
}

const draft = workflow<{ topic: string; tags: string[] }>("publish").task("draft", {
  capabilities: ["built.write"],
  input: ({ input }) => ({ topic: input.topic, words: 100 }),
});

const told = (action: () => { problems(): readonly Problem[] }): readonly string[] =>
  action().problems().flatMap(({ severity, message }) => (severity === "error" ? [message] : [])); // prettier-ignore

describe("a workflow that is built", () => {
  it("is data: the expressions are written down", () => {
    const built = draft
      .map("checks", {
        items: ({ nodes }) => nodes.draft.output.claims,
        task: { capabilities: ["built.check"], input: ({ item }) => ({ claim: item }) },
        onError: "collect",
      })
      .approval("review", {
        message: "Send it?",
        payload: ({ nodes }) => [nodes.draft.output.text, itemOf(nodes.checks.output, 0)],
        timeout: 1_000,
        onReject: "continue",
      })
      .task("send", { capabilities: ["built.send"], input: ({ nodes }) => nodes.draft.output.text, after: [] })
      .edge("review", "send", { when: ({ nodes }) => nodes.review.output.approved })
      .errorHandler("rescue", { codes: ["task/*"] })
      .output(({ nodes }) => ({
        text: nodes.draft.output.text,
        good: cel<boolean>`${nodes.draft.output.score} > ${0.5}`,
      }))
      .build();
    assert.deepEqual(built, {
      id: "publish",
      nodes: [
        { id: "draft", type: "task", capabilities: ["built.write"], input: '{"topic": input.topic, "words": 100}' },
        {
          id: "checks",
          type: "map",
          items: "nodes.draft.output.claims",
          task: { capabilities: ["built.check"], input: '{"claim": item}' },
          onError: "collect",
        },
        {
          id: "review",
          type: "approval",
          message: "Send it?",
          payload: "[nodes.draft.output.text, nodes.checks.output[0]]",
          timeout: 1_000,
          onReject: "continue",
        },
        { id: "send", type: "task", capabilities: ["built.send"], input: "nodes.draft.output.text" },
        { id: "rescue", type: "errorHandler", codes: ["task/*"] },
      ],
      edges: [
        { from: "draft", to: "checks" },
        { from: "checks", to: "review" },
        { from: "review", to: "send", when: "nodes.review.output.approved" },
      ],
      output: '{"text": nodes.draft.output.text, "good": nodes.draft.output.score > 0.5}',
    });
  });

  it("has ports that the compiler knows: what doesn't exist, or is of another type, is an error", () => {
    const send = { capabilities: ["built.send"] } as const;
    const check = { capabilities: ["built.check"] } as const;
    const write = { capabilities: ["built.write@^1"] } as const;
    // @ts-expect-error -- there is no `body`
    const port = draft.task("a", { ...send, input: ({ nodes }) => nodes.draft.output.body });
    assert.deepEqual(
      told(() => port),
      [],
    );
    // @ts-expect-error -- there is no node `drafts`
    assert.throws(() => draft.task("a", { ...send, input: ({ nodes }) => nodes.drafts.output }).build());
    // @ts-expect-error -- a score is no text
    draft.task("a", { ...send, input: ({ nodes }) => nodes.draft.output.score });
    // @ts-expect-error -- `topic` is missing
    draft.task("a", { ...write, input: () => ({ words: 1 }) });
    // @ts-expect-error -- `topic` is no number
    draft.task("a", { ...write, input: () => ({ topic: 1 }) });
    // @ts-expect-error -- the run's input has no `title`
    draft.task("a", { ...send, input: ({ input }) => input.title });
    // @ts-expect-error -- a text is no list
    draft.map("a", { items: ({ nodes }) => nodes.draft.output.text, task: send });
    const claims = cel<string[]>`input.tags`;
    // @ts-expect-error -- an item is a text, not a claim
    draft.map("a", { items: () => claims, task: { ...check, input: ({ item }) => item } });
    draft.map("a", { items: () => claims, task: { ...check, input: ({ item }) => ({ claim: item }) } });
    const decided = draft.decision("d");
    // @ts-expect-error -- a score is no condition
    decided.edge("draft", "d", { when: ({ nodes }) => nodes.draft.output.score });
    // @ts-expect-error -- a decision puts nothing out
    decided.task("a", { ...send, input: ({ nodes }) => nodes.d.output.text });
    // @ts-expect-error -- there is a node `draft` already
    assert.deepEqual(told(() => draft.decision("draft"))[0], "two nodes have the id 'draft'");
    // @ts-expect-error -- there is no node `b` to come after
    assert.match(told(() => draft.join("a", { after: "b" }))[0] ?? "", /names no node 'b'/u);
    // @ts-expect-error -- an edge leads to a node
    draft.edge("draft", "nowhere");
    // @ts-expect-error -- no such mode
    draft.join("j", { mode: "most" });
  });

  it("leaves open what nobody has described", () => {
    const open = workflow("open")
      .task("a", {
        capabilities: ["built.unknown"],
        input: ({ input }) => ({ any: select(input, "thing", 0, "a b", "in"), n: -1 }),
      })
      .task("b", { capabilities: ["built.send"], input: ({ nodes }) => select(nodes.a.output, "what", "ever") })
      .task("c", { capabilities: ["built.write"], input: "nodes.b.output" })
      .loop("again", {
        until: ({ last }) => cel`${last} == 1 || ${true}`,
        max: 3,
        task: { capabilities: ["x"], input: ({ index }) => [index] },
      })
      .subworkflow("sub", {
        workflow: "other",
        returns: returns<{ n: number }>(),
        input: ({ nodes }) => nodes.again.output,
      })
      .task("d", {
        capabilities: ["built.write"],
        input: ({ nodes }) => ({ topic: cel<string>`string(${nodes.sub.output.n})` }),
      });
    const { nodes } = open.build();
    const inputs = nodes.flatMap((node) => ("input" in node ? [node.input] : []));
    assert.deepEqual(inputs, [
      '{"any": input.thing[0]["a b"]["in"], "n": -1}',
      "nodes.a.output.what.ever",
      "nodes.b.output",
      "nodes.again.output",
      '{"topic": string(nodes.sub.output.n)}',
    ]);
    assert.throws(() => workflow("w").task("a", { capabilities: ["x"], input: () => NaN }), {
      code: "expression/invalid",
    });
  });

  it("writes variables, and goes on along error edges", () => {
    const { nodes, edges, variables } = workflow("w")
      .with({ variables: { best: { type: "number", merge: "max" } } })
      .task("a", {
        capabilities: ["x"],
        set: { best: ({ nodes }) => select(nodes.a.output, "score") },
        compensate: { capabilities: ["undo"], input: ({ nodes }) => select(nodes.a.output, "id") },
      })
      .task("b", { capabilities: ["x"], input: ({ vars }) => select(vars, "best"), after: [] })
      .edge("a", "b", { onError: ["task/*"], when: ({ error }) => cel`${error.code} != ${"x"}` })
      .build();
    const [first] = nodes;
    assert.ok(first?.type === "task");
    assert.deepEqual(first.compensate, { capabilities: ["undo"], input: "nodes.a.output.id" });
    assert.deepEqual(first.set, { best: "nodes.a.output.score" });
    assert.deepEqual(edges, [{ from: "a", to: "b", when: 'error.code != "x"', on: "error", codes: ["task/*"] }]);
    assert.deepEqual(variables, { best: { type: "number", merge: "max" } });
  });

  it("is refused when it is wrong, before anybody runs it", () => {
    const wrong = draft.decision("d").join("j", { after: ["draft", "d"], mode: 3 });
    assert.throws(() => wrong.build(), { code: "workflow/invalid" });
    assert.match(told(() => wrong).join(), /'j' waits for 3 of 2 inlets/u);
  });

  it("is the same after it was data, whatever it is", () => {
    const chance = createChance(seedOf(5));
    const isSound = (definition: WorkflowInput): boolean =>
      validate(definition).every(({ severity }) => severity !== "error");
    let sound = 0;
    for (let run = 0; run < 300; run++) {
      const definition = JSON.parse(JSON.stringify(drawScript(chance, `w${String(run)}`).workflow)) as WorkflowInput;
      if (!isSound(definition)) continue;
      sound++;
      const again = fromJSON(definition).build();
      assert.deepEqual(again, definition);
      assert.equal(JSON.stringify(again), JSON.stringify(definition));
      const { nodes, edges = [], ...rest } = definition;
      let builder = fromJSON({ ...rest, nodes: [], edges: [] });
      for (const node of nodes) builder = builder.node(node);
      for (const { from, to, when, on, codes } of edges)
        builder = builder.edge(from, to, {
          ...(when !== undefined && { when }),
          ...(on && { onError: codes ?? true }),
        });
      assert.deepEqual(builder.build(), definition);
    }
    assert.ok(sound > 200, String(sound));
    assert.ok(isSound(draft.build()));
  });
});
