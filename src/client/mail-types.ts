/** What a page can do with messages. */
import type { MessagePayloads } from "../core/mail/message-type.ts";
import type { OutgoingMessage, ReceivedMessage } from "../core/mail/exchange.ts";
import type { DeadMail } from "../core/mail/mail.ts";
import type { JsonSchema } from "../core/capabilities/schema.ts";

export type { MessagePayloads, OutgoingMessage, ReceivedMessage };

/** A message that was given up, and why. */
export type DeadMessage = Omit<DeadMail, "payload"> & { readonly payload: unknown };

export interface MessageCalls {
  /**
   * Sends a message; resolves with its id when it is durable. The answer of a person (`HUMAN_APPROVAL_RESPONSE`) isn't put
   * into a mailbox: it answers the approval that `correlation` names, or else the only one that `recipient` has asked for.
   * @throws RuntimeError `message/overflow`, `message/type-unknown`, `message/invalid`, `message/unroutable`,
   * `approval/unknown`, `approval/…`
   */
  sendMessage<T extends string>(message: OutgoingMessage<T>): Promise<string>;
  /** See docs/messages.md. */
  readonly messages: {
    /** Takes messages of a mailbox: at most `max` (1), after waiting up to `wait` ms (0) for the first one. */
    take(
      recipient: string,
      options?: { readonly max?: number; readonly wait?: number },
    ): Promise<readonly ReceivedMessage[]>;
    /**
     * Takes messages for as long as it isn't ended, `concurrency` (1) at once. What the handler has done with is
     * acknowledged; what it throws at comes again. Resolves with the function that ends it.
     */
    receive(
      recipient: string,
      handler: (message: ReceivedMessage) => unknown,
      options?: { readonly concurrency?: number },
    ): Promise<() => void>;
    /** From now on the recipient gets what is sent to the topic. Durable; given again, nothing changes. */
    subscribe(topic: string, recipient: string): Promise<void>;
    unsubscribe(topic: string, recipient: string): Promise<void>;
    /** A type of messages of your own; payloads that don't fit are refused. @throws RuntimeError `message/invalid` */
    define(name: string, schema: JsonSchema): Promise<void>;
    /** Messages that were given up, newest first; `after` is the id of the last one of the page before. */
    deadLetters(query?: {
      readonly recipient?: string;
      readonly after?: string;
      readonly limit?: number;
    }): Promise<readonly DeadMessage[]>;
    /** Sends a dead letter again, under an id of its own. @throws RuntimeError `message/unknown`, `message/overflow` */
    replay(id: string): Promise<void>;
  };
}
