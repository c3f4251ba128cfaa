/** The published JSON Schema says of definitions what the host's own reading of them says. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Ajv2020 } from "ajv/dist/2020.js";
import * as v from "valibot";
import { workflowSchema } from "../../../scripts/build/schema.js";
import { WorkflowSchema } from "../../../src/core/workflows/definition.ts";
import { createChance, seedOf, type Chance } from "../core/chance.ts";
import { drawScript } from "../core/oracle.ts";

const RUNS = 4_000;
const ajv = new Ajv2020({ strict: false });
const holds = ajv.compile(workflowSchema(WorkflowSchema));

/** Something else at some place: another value, no value, one field more. */
function bend(chance: Chance, value: unknown): unknown {
  if (typeof value !== "object" || value === null || chance.once(12)) return chance.pick<unknown>(STRANGE);
  if (Array.isArray(value)) {
    if (value.length === 0 || chance.once(8)) return [...(value as unknown[]), chance.pick<unknown>(STRANGE)];
    const place = chance.below(value.length);
    return value.map((item: unknown, at) => (at === place ? bend(chance, item) : item));
  }
  const entries = Object.entries(value as Record<string, unknown>);
  const at = chance.below(entries.length + 1);
  if (at === entries.length)
    return { ...value, [chance.pick(["id", "type", "more", "when", "task", "mode"])]: chance.pick<unknown>(STRANGE) };
  const bent: (readonly [string, unknown])[] = chance.once(4)
    ? entries.filter((_entry, place) => place !== at)
    : entries.map(([key, part], place) => [key, place === at ? bend(chance, part) : part]);
  return Object.fromEntries(bent);
}

const STRANGE = [
  null,
  true,
  0,
  1,
  -1,
  1.5,
  1e9,
  "",
  "a",
  "n0",
  "Any",
  "__proto__",
  "first",
  "all",
  "task",
  "join",
  "x y",
  [],
  ["a"],
  {},
  { when: "true" },
  "z".repeat(5_000),
];

describe("the published JSON Schema", () => {
  it(`takes and refuses the same definitions as the host (${String(RUNS)} definitions)`, (t) => {
    const seed = seedOf(12);
    const chance = createChance(seed);
    const counts = { taken: 0, refused: 0 };
    for (let run = 0; run < RUNS; run++) {
      let definition: unknown = drawScript(chance, `w${String(run)}`).workflow;
      for (let times = chance.below(3); times > 0; times--) definition = bend(chance, definition);
      const text = JSON.stringify(definition) ?? "null"; // eslint-disable-line @typescript-eslint/no-unnecessary-condition -- of undefined there is none
      const read: unknown = JSON.parse(text);
      const ours = v.safeParse(WorkflowSchema, read);
      assert.equal(
        holds(read),
        ours.success,
        `seed ${String(seed)}, run ${String(run)}: ${text} ${JSON.stringify(holds.errors?.slice(0, 3))} ${ours.issues?.[0]?.message ?? ""}`,
      );
      counts[ours.success ? "taken" : "refused"]++;
    }
    t.diagnostic(JSON.stringify(counts));
    assert.ok(counts.taken > RUNS / 4 && counts.refused > RUNS / 4);
  });

  it("does so for nodes that wait for metrics, and for those that append graphs", () => {
    const chance = createChance(seedOf(13));
    const nodes = [
      { id: "m", type: "monitor", capability: "a", when: "true", window: 1_000, every: 100, onTimeout: "fail" },
      { id: "d", type: "dynamic", capabilities: ["a"], allow: { capabilities: ["a"], types: ["map"] }, rounds: 2 },
      { id: "h", type: "errorHandler", action: "retry", times: 2, delay: 5, backoff: 1.5 },
    ];
    let taken = 0;
    for (let run = 0; run < 1_000; run++) {
      const node = run < nodes.length ? nodes[run] : bend(chance, chance.pick(nodes));
      const read: unknown = JSON.parse(JSON.stringify({ id: "w", nodes: [node] }));
      const { success } = v.safeParse(WorkflowSchema, read);
      assert.equal(holds(read), success, `${String(run)}: ${JSON.stringify(read)}`);
      assert.ok(success || run >= nodes.length);
      taken += Number(success);
    }
    assert.ok(taken > 50 && taken < 800, String(taken));
  });
});
