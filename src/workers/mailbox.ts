/** The mailboxes of an agent, from within an attempt. */
import type { HostFrame } from "../core/agents/protocol.ts";
import type { MailAsk } from "../core/mail/delivery.ts";
import { createIds } from "../core/ids.ts";
import { draftOf, receivedOf, type OutgoingMessage, type ReceivedMessage } from "../core/mail/exchange.ts";
import type { AgentContext } from "../core/plugin/definition.ts";

export type { OutgoingMessage, ReceivedMessage };

export interface AgentMailbox {
  /**
   * Sends a message, as `agent:<name>`; resolves with its id when it is durable.
   * @throws RuntimeError `message/overflow`, `message/type-unknown`, `message/invalid`, `message/unroutable`,
   * `approval/forbidden` for the answer of a person
   */
  send<T extends string>(message: Omit<OutgoingMessage<T>, "sender">): Promise<string>;
  /**
   * Takes messages: of "agent" (the default), which all workers of this name share (`agent:<name>`), or of "task", which
   * is for whoever runs this task (`task:<id>`). Waits up to so many milliseconds (default 0) for the first one.
   */
  take(options?: {
    readonly of?: "agent" | "task";
    /** At most so many. Default 1. */
    readonly max?: number;
    readonly wait?: number;
  }): Promise<readonly ReceivedMessage[]>;
}

/** What the attempt's context has for the package's own entries. */
type Call = (frame: object) => Promise<Extract<HostFrame, { kind: "answer" }>>;

/** An isolated worker has an opaque origin, which isn't a secure context: there is no `crypto.randomUUID`. */
const newId = createIds(Date.now, Math.random);

/** `run: async (input, context) => { const box = mailbox(context); … }` */
export function mailbox({ task, call }: AgentContext): AgentMailbox {
  const ask = (what: MailAsk): ReturnType<Call> =>
    (call as Call)({ kind: "mail", task: task.id, attempt: task.attempt, ask: what });
  return {
    async send(message) {
      const data = draftOf(message, newId);
      await ask({ type: "mail.send", data });
      return data.id;
    },
    async take({ of: recipient = "agent", max = 1, wait = 0 } = {}) {
      const { mail = [] } = await ask({ type: "mail.take", data: { recipient, max, wait } });
      return mail.map((delivery) =>
        receivedOf(delivery, async (type, data) => {
          await ask({ type, data }); // data are of the type
        }),
      );
    },
  };
}
