/** Takes messages of its mailbox for some seconds, and acknowledges them. */
import { defineAgent } from "../src/core/plugin.ts";
import { mailbox } from "../src/messages.ts";
import { exposeAgent } from "../src/workers/agent.ts";
import * as v from "valibot";

exposeAgent(
  defineAgent({
    name: "mail",
    version: "1.0.0",
    capabilities: ["mail"],
    slots: 4,
    timeout: 600_000,
    input: v.number(),
    output: v.number(),
    async run(end, context) {
      const box = mailbox(context);
      let count = 0;
      while (Date.now() < end)
        for (const message of await box.take({ max: 16, wait: 500 })) {
          await message.ack();
          count++;
        }
      return count;
    },
  }),
);
