/** Keeps what it is given, each item by itself. */
import * as v from "valibot";
import { defineAgent, exposeAgent } from "../../src/agent.ts";
import { keep } from "./store.ts";

exposeAgent(
  defineAgent({
    name: "single",
    version: "1.0.0",
    capabilities: ["single"],
    slots: 50,
    input: v.unknown(),
    output: v.unknown(),
    async run(input) {
      await keep([input]);
      return input;
    },
  }),
);
