/** Rehearsals of agents: what a second attempt does again. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as v from "valibot";
import { defineAgent, type AgentContext } from "../../../src/core/plugin/definition.ts";
import { rehearse } from "../../../src/testing.ts";

const agent = (run: (input: number, context: AgentContext) => unknown) =>
  defineAgent({
    name: "a",
    version: "1.0.0",
    capabilities: ["work"],
    input: v.number(),
    output: v.unknown(),
    run,
  });

describe("a rehearsal", () => {
  it("of an idempotent agent finds no difference, and no effect done twice", async () => {
    let sent = 0;
    const told = await rehearse(
      agent(async (input, { once, checkpoint, checkpointed, task }) => {
        const receipt = await once(`send:${task.idempotencyKey}`, () => ({ receipt: ++sent }));
        if (checkpointed === undefined) await checkpoint({ half: input / 2 });
        return { input, receipt };
      }),
      4,
    );
    assert.equal(told.difference, undefined);
    assert.deepEqual(told.effects, [["send:rehearsal"], []]);
    assert.deepEqual(told.checkpoints, [1, 0]);
    assert.equal(sent, 1);
  });

  it("names the place where a second attempt gives something else, and the effects that are new to it", async () => {
    let count = 0;
    const told = await rehearse(
      agent(async (input, { once }) => ({ list: [input, await once(`n${String(++count)}`, () => count)] })),
      4,
    );
    assert.match(told.difference ?? "", /list.*1/u);
    assert.deepEqual(told.effects, [["n1"], ["n2"]]);
    assert.deepEqual(told.outputs, [{ list: [4, 1] }, { list: [4, 2] }]);
  });

  it("begins the second attempt without a checkpoint when it is told to, and keeps bytes between them", async () => {
    const seen: unknown[] = [];
    const store = agent(async (input, { blobs, checkpoint, checkpointed }) => {
      seen.push(checkpointed);
      const ref = await blobs.write(new Uint8Array([1, 2, input]));
      await checkpoint("done");
      return (await blobs.read(ref)).length;
    });
    const told = await rehearse(store, 3, { checkpoint: "none" });
    assert.deepEqual(seen, [undefined, undefined]);
    assert.deepEqual(told.blobs[0], told.blobs[1]);
    assert.deepEqual([told.difference, told.outputs], [undefined, [3, 3]]);
  });

  it("refuses input and output that the schemas refuse, and what is no JSON", async () => {
    const broken = defineAgent({ ...agent(() => "no number"), output: v.number() });
    await assert.rejects(rehearse(broken, 1), { code: "agent/output-invalid" });
    await assert.rejects(rehearse(broken, "1"), { code: "agent/input-invalid" });
    await assert.rejects(rehearse(agent((_input, { once }) => once("f", () => () => 1)), 1), { code: "json/invalid" }); // prettier-ignore
  });
});
