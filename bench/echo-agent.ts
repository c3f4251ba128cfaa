/** The least that an agent can do: it gives back what it was given. */
import { defineAgent } from "../src/core/plugin.ts";
import { exposeAgent } from "../src/workers/agent.ts";
import * as v from "valibot";

exposeAgent(
  defineAgent({
    name: "echo",
    version: "1.0.0",
    capabilities: ["echo"],
    input: v.unknown(),
    output: v.unknown(),
    run: (input) => input,
  }),
);
