/** Messages as programs give and get them, in a page and in an agent. */
import { decodeJson, writeJson } from "../json.ts";
import type { Delivery } from "./delivery.ts";
import type { MailCommands, MailSendSchema } from "./mail.ts";
import type { PayloadOf } from "./message-type.ts";
import type * as v from "valibot";

type Sent = Omit<v.InferOutput<typeof MailSendSchema>, "payload" | "once" | "id" | "type">;

/** A message to be sent: to a `recipient`, or to all who have subscribed to a `topic`. */
export interface OutgoingMessage<T extends string = string> extends Sent {
  /** One of `MessageType`, or one that was defined. */
  readonly type: T;
  /** A second message with this id isn't taken while the latest 10,000 are remembered. Default: a new one. */
  readonly id?: string;
  /** A JSON value that fits the type. Default null. */
  readonly payload?: PayloadOf<T>;
}

/** A delivered message: to be answered before `until`, or it is delivered again. */
export interface ReceivedMessage extends Omit<Delivery, "payload"> {
  readonly payload: unknown;
  /** Done. Resolves when that is durable. @throws RuntimeError `message/stale` when it was delivered again meanwhile */
  ack(): Promise<void>;
  /** Not done: it comes again after so many milliseconds. Default: 1,000, twice as long each time. */
  nak(delay?: number): Promise<void>;
  /** It takes longer: the time to answer begins anew. */
  extend(): Promise<void>;
  /** It can't ever be done: it becomes a dead letter. */
  terminate(reason?: string): Promise<void>;
}

export type Answer = Extract<keyof MailCommands, "mail.ack" | "mail.nak" | "mail.extend" | "mail.terminate">;
export type Answering = (type: Answer, data: MailCommands[Answer]) => Promise<void>;

export function draftOf(
  { id, payload = null, ...rest }: OutgoingMessage,
  newId: () => string,
): MailCommands["mail.send"] {
  const once = id !== undefined && { once: true };
  return { ...rest, ...once, id: id ?? newId(), payload: writeJson(payload, "payload") };
}

export function receivedOf({ payload, ...rest }: Delivery, answer: Answering): ReceivedMessage {
  const { id, delivery } = rest;
  const about = { id, delivery };
  return {
    ...rest,
    payload: decodeJson(payload),
    ack: () => answer("mail.ack", about),
    nak: (delay) => answer("mail.nak", { ...about, ...(delay !== undefined && { delay }) }),
    extend: () => answer("mail.extend", about),
    terminate: (reason) => answer("mail.terminate", { ...about, ...(reason !== undefined && { reason }) }),
  };
}
