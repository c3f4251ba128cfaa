/**
 * Messages that are somebody's: each lies in its recipient's mailbox until it is acknowledged, has expired, or was given up
 * and is a dead letter. A delivery has a number and a time within which it has to be answered; an answer to an older
 * delivery is refused. (Messages for runs that wait are another thing: see messages/message.ts.)
 */
import * as v from "valibot";
import type { Actor } from "../hosting/hosting.ts";
import type { JsonText } from "../json.ts";

/** The earlier, the sooner; see {@link rankOf}. */
export const URGENCIES = ["urgent", "high", "normal", "low"] as const;
export type Urgency = (typeof URGENCIES)[number];

/** The most messages in one mailbox. */
export const MAX_MAILBOX = 10_000;
/** The most in all mailboxes, and the most characters of their payloads. */
export const MAX_MAILS = 50_000;
export const MAX_MAIL_TEXT = 32 * 1024 * 1024;
/** Beyond so many dead letters, and characters of them, the oldest goes. */
export const MAX_DEAD = 1_000;
export const MAX_DEAD_TEXT = 8 * 1024 * 1024;
/** The most ids that are remembered of messages that were to be sent once. */
export const MAX_SETTLED = 10_000;
/** The most answers to deliveries that are remembered, so that they can be given again. */
export const MAX_ANSWERS = 2_000;
export const MAX_SUBSCRIPTIONS = 10_000;
export const MAX_SUBSCRIBERS = 1_000;
export const MAX_MAIL_TYPES = 1_000;
/** A nak without a delay, or no answer: the next delivery comes after twice as long each time, at most so many ms. */
export const MAX_BACKOFF = 60_000;

const name = v.pipe(v.string(), v.minLength(1), v.maxLength(200));
const span = (least: number, most: number): v.GenericSchema<number> =>
  v.pipe(v.number(), v.integer(), v.minValue(least), v.maxValue(most));
const DAY = 86_400_000;

/** Names one delivery of a message. */
const delivery = { id: v.pipe(v.string(), v.minLength(1), v.maxLength(450)), delivery: span(1, 1_000) };

export const MailSendSchema = v.strictObject({
  id: name,
  /** The id is remembered when it is settled, so that the same isn't sent again: the latest 10,000 are. */
  once: v.optional(v.boolean()),
  /** One of `MessageType`, or one that was defined. */
  type: name,
  /** A name of the page's own. Default `person:<id>` of who is at the page, or "page". */
  sender: v.optional(name),
  /** Whose mailbox; or everybody's who has subscribed to the topic. */
  recipient: v.optional(name),
  topic: v.optional(name),
  /** Those of one sender, recipient and key are delivered one after the other, in the order of sending. */
  key: v.optional(name),
  payload: v.string(),
  /** Default "normal". */
  priority: v.optional(v.picklist(URGENCIES)),
  /** What it answers. */
  correlation: v.optional(v.pipe(v.string(), v.maxLength(450))),
  /** Milliseconds after which it isn't delivered any more. Default a day. */
  ttl: v.optional(span(1, 30 * DAY)),
  /** Milliseconds within which a delivery has to be answered. Default 30,000. */
  ackWait: v.optional(span(100, DAY)),
  /** Default 5. */
  maxDeliveries: v.optional(span(1, 1_000)),
  /** Milliseconds before the second delivery. Default 1,000. */
  backoff: v.optional(span(0, DAY)),
});
export const MailAckSchema = v.strictObject(delivery);
export const MailNakSchema = v.strictObject({ ...delivery, delay: v.optional(span(0, 30 * DAY)) });
export const MailTerminateSchema = v.strictObject({
  ...delivery,
  reason: v.optional(v.pipe(v.string(), v.maxLength(1_000))),
});
export const MailSubscribeSchema = v.strictObject({ topic: name, recipient: name });
export const MailDefineSchema = v.strictObject({
  name,
  /** A JSON Schema as capabilities have it, as JSON text. */
  schema: v.pipe(v.string(), v.maxLength(65_536)),
});
export const MailReplaySchema = v.strictObject({ id: delivery.id });

/** agent: the host knows which one. session: its verifier has found who is at the page. click: the page says so. */
export type SenderLevel = "agent" | Actor["level"];

/** A message in a mailbox. */
export interface Mail {
  readonly id: string;
  readonly once?: boolean | undefined;
  readonly type: string;
  readonly sender: string;
  /** How surely that is known, where it isn't only what a page says: see {@link senderOf}. */
  readonly level?: SenderLevel | undefined;
  readonly recipient: string;
  readonly topic?: string | undefined;
  readonly key?: string | undefined;
  readonly payload: JsonText;
  readonly priority: Urgency;
  readonly correlation?: string | undefined;
  readonly ttl: number;
  readonly ackWait: number;
  readonly maxDeliveries: number;
  readonly backoff: number;
  readonly expiresAt: number;
  /** The dead letter that was sent again. */
  readonly replayOf?: string | undefined;
  readonly sentAt: number;
  /** Counts the mailbox's messages. */
  readonly order: number;
  /** Deliveries so far. */
  readonly delivery: number;
  /** While it is delivered and not answered: to whom, and until when. */
  readonly consumer?: string | undefined;
  readonly until?: number | undefined;
  /** It is not delivered again before. */
  readonly notBefore?: number | undefined;
}

/** The latest answer to a delivery of a message that counted, and whose it was. */
export interface MailAnswer {
  readonly id: string;
  readonly delivery: number;
  readonly consumer: string;
  /** What it came to. */
  readonly type: keyof MailEvents;
}

export type Burial = "expired" | "max-deliveries" | "terminated";

/** A message that was given up. */
export interface DeadMail extends Mail {
  readonly cause: Burial;
  readonly reason?: string | undefined;
  readonly buriedAt: number;
}

export interface Subscription {
  readonly id: string;
  readonly topic: string;
  readonly recipient: string;
}

/** A type of messages, beside those that there always are. */
export interface MailType {
  readonly id: string;
  readonly schema: JsonText;
}

interface Moved {
  readonly id: string;
  readonly recipient: string;
  readonly delivery: number;
}

/** Whoever takes messages goes on with so many more. */
interface Taking {
  readonly consumer: string;
  /** Tells the takings of a consumer apart. */
  readonly call: number;
  readonly more: number;
}

export interface MailEvents {
  "mail.sent": Omit<Mail, "sentAt" | "order" | "delivery" | "consumer" | "until" | "notBefore">;
  "mail.delivered": Moved & Taking & { readonly until: number };
  "mail.extended": Moved & { readonly until: number };
  "mail.acked": Moved;
  /** It wasn't done: it is delivered again, at once or not before a moment. gone: whoever had it is. */
  "mail.returned": Moved & { readonly cause: "nak" | "timeout" | "gone"; readonly notBefore?: number | undefined };
  /** The moment has come. */
  "mail.ready": Moved;
  /** It was given up, and is a dead letter. */
  "mail.buried": Moved & {
    readonly cause: Burial;
    readonly reason?: string | undefined;
    readonly taking?: Taking | undefined;
  };
  /** A dead letter was sent again, under another id. */
  "mail.replayed": { readonly id: string; readonly as: string };
  "mail.subscribed": Omit<Subscription, "id">;
  "mail.unsubscribed": Omit<Subscription, "id">;
  "mail.defined": { readonly name: string; readonly schema: JsonText };
}

interface Answering {
  /** Who answers, as the host knows. Default: whoever has the message. */
  readonly consumer?: string | undefined;
}

export interface MailCommands {
  "mail.send": v.InferOutput<typeof MailSendSchema> & {
    /** Who is at the page that sends it, or the name of the agent that does: as the host knows, never as they say. */
    readonly actor?: Actor | undefined;
    readonly agent?: string | undefined;
  };
  "mail.take": { readonly recipient: string; readonly consumer: string; readonly call: number; readonly max: number };
  "mail.ack": v.InferOutput<typeof MailAckSchema> & Answering;
  "mail.nak": v.InferOutput<typeof MailNakSchema> & Answering;
  /** It is being worked on: the time for an answer begins anew. */
  "mail.extend": v.InferOutput<typeof MailAckSchema> & Answering;
  "mail.terminate": v.InferOutput<typeof MailTerminateSchema> & Answering;
  /** The consumer is gone: what it had is delivered to others. */
  "mail.release": { readonly consumer: string };
  "mail.replay": v.InferOutput<typeof MailReplaySchema>;
  "mail.subscribe": v.InferOutput<typeof MailSubscribeSchema>;
  "mail.unsubscribe": v.InferOutput<typeof MailSubscribeSchema>;
  "mail.define": v.InferOutput<typeof MailDefineSchema>;
  "mail.wake": { readonly id: string };
}

/**
 * The place in the mailbox's order: each step of priority is worth as many messages as fit in it. So an urgent one comes
 * before every other that was there, and a low one is overtaken by at most three times as many as fit.
 */
export function rankOf({ order, priority }: Pick<Mail, "order" | "priority">): number {
  return order + URGENCIES.indexOf(priority) * MAX_MAILBOX;
}
