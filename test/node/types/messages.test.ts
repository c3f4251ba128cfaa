/** What the compiler lets through where messages are sent. The checks are the types'. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { OutgoingMessage, Runtime } from "../../../src/index.ts";
import { MessageType, type AgentMailbox } from "../../../src/messages.ts";

declare module "../../../src/index.ts" {
  interface MessagePayloads {
    "typed.order": { id: number };
  }
}

const sent: unknown[] = [];
const send = (message: unknown): Promise<string> => Promise.resolve(String(sent.push(message)));
const page: Runtime["sendMessage"] = send;
const agent: AgentMailbox["send"] = send;

describe("typed messages", () => {
  it("hold what their type says, and more", () => {
    const to = { recipient: "r" };
    void page({ ...to, type: MessageType.STATUS_UPDATE, payload: { status: "busy", progress: 0.5, of: "t" } });
    void page({ ...to, type: "human_approval_response", payload: { approved: true, reason: "fine" } });
    void page({ ...to, type: MessageType.HEARTBEAT });
    void page({ ...to, type: "typed.order", payload: { id: 1 } });
    void agent({ ...to, type: MessageType.TASK_REQUEST, payload: { capability: "sum", input: [1] } });
    // @ts-expect-error -- a status is a text
    void page({ ...to, type: MessageType.STATUS_UPDATE, payload: { status: 1 } });
    // @ts-expect-error -- an answer says whether it is one
    void page({ ...to, type: "human_approval_response", payload: { approver: "ann" } });
    // @ts-expect-error -- an order has an id
    void page({ ...to, type: "typed.order", payload: {} });
    // @ts-expect-error -- a request names a capability
    void agent({ ...to, type: MessageType.TASK_REQUEST, payload: { input: [1] } });
    assert.equal(sent.length, 9);
  });

  it("are open where the type isn't known", () => {
    const message: OutgoingMessage = { recipient: "r", type: String(1), payload: 7 };
    void page(message);
    void page({ recipient: "r", type: "anything", payload: [1] });
    assert.ok(sent.length > 1);
  });
});
