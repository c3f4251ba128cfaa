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
    slots: 16,
    timeout: 600_000,
    input: v.object({ end: v.number(), together: v.number() }),
    output: v.number(),
    async run({ end, together }, context) {
      const box = mailbox(context);
      let count = 0;
      while (Date.now() < end) {
        const some = await box.take({ max: together > 1 ? together : 16, wait: 500 });
        for (let at = 0; at < some.length; at += together)
          await Promise.all(some.slice(at, at + together).map((message) => message.ack()));
        count += some.length;
      }
      return count;
    },
  }),
);
