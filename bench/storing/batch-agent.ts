/** Keeps what it is given, 50 items together. */
import * as v from "valibot";
import { defineAgent, exposeAgent } from "../../src/agent.ts";
import { batched } from "../../src/batch.ts";
import { keep } from "./store.ts";

exposeAgent(
  defineAgent({
    name: "batch",
    version: "1.0.0",
    capabilities: ["batch"],
    input: v.unknown(),
    output: v.unknown(),
    ...batched({
      size: 50,
      async run(inputs: readonly unknown[]) {
        await keep(inputs);
        return inputs;
      },
    }),
  }),
);
