/** Streams numbers: each when the one before has been taken along, or many together. */
import { defineAgent } from "../src/core/plugin.ts";
import { exposeAgent } from "../src/workers/agent.ts";
import * as v from "valibot";

exposeAgent(
  defineAgent({
    name: "stream",
    version: "1.0.0",
    capabilities: ["stream"],
    input: v.object({ count: v.number(), together: v.number() }),
    output: v.number(),
    async run({ count, together }, { stream }) {
      for (let from = 0; from < count; from += together)
        await Promise.all(
          Array.from({ length: Math.min(together, count - from) }, (_, at) => stream({ n: from + at })),
        );
      return count;
    },
  }),
);
