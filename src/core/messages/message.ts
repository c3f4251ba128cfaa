/**
 * Messages from outside for whoever waits for one of their name and key. A message that nobody waits for yet is kept
 * until its time is over. A wait takes one message: for itself alone ("one"), so that no other such wait gets it, or
 * beside others ("broadcast").
 */
import * as v from "valibot";
import type { JsonText } from "../json.ts";
import type { TaskParent } from "../tasks/task.ts";

/** A message is kept for so many milliseconds unless it says how long. */
export const MESSAGE_LIFE = 3_600_000;
/** The most messages that are kept: in all, and of one name and key. */
export const MAX_MESSAGES = 10_000;
export const MAX_ALIKE = 1_000;
/** The most characters of kept messages together. */
export const MAX_KEPT = 16 * 1024 * 1024;
/** The most ids of messages that are remembered, so that the same isn't taken twice. */
export const MAX_REMEMBERED = 10_000;

export const MAX_NAME = 200;
const name = v.pipe(v.string(), v.minLength(1), v.maxLength(MAX_NAME));

export const MessagePublishSchema = v.strictObject({
  name,
  /** What tells messages of one name apart, as an order's number does. Default: none. */
  key: v.optional(v.pipe(v.string(), v.maxLength(MAX_NAME))),
  /** A second message of the same id is the first one again. */
  id: v.optional(name),
  payload: v.string(),
  /** Milliseconds; 0: only those that wait now. */
  ttl: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(30 * 86_400_000))),
});

/** A message that is kept. */
export interface Message {
  readonly id: string;
  readonly name: string;
  readonly key: string;
  readonly payload: JsonText;
  readonly publishedAt: number;
  readonly expiresAt: number;
  /** Broadcast waits that have got it. */
  readonly met: number;
}

export type Consume = "one" | "broadcast";

/** A wait for a message. */
export interface Wait {
  readonly id: string;
  readonly name: string;
  readonly key: string;
  readonly consume: Consume;
  readonly openedAt: number;
  readonly expiresAt?: number | undefined;
  readonly parent?: TaskParent | undefined;
}

/** The id of a message that was given one, and until when another of the same id is the same. */
export interface Remembered {
  readonly id: string;
  readonly until: number;
}

export interface MessageEvents {
  "message.published": Omit<Message, "publishedAt" | "met"> & {
    /** Whether the id came from outside. */
    readonly named?: boolean | undefined;
  };
  /** Its time was over before anybody took it for itself; so many broadcast waits have got it. */
  "message.dropped": Pick<Message, "id" | "name" | "key" | "met">;
  "wait.opened": Omit<Wait, "openedAt">;
  /** A wait has got a message; with `taken` no other wait gets that one. */
  "wait.met": Pick<Message, "name" | "key" | "payload" | "publishedAt"> & {
    readonly id: string;
    readonly message: string;
    readonly taken: boolean;
    readonly parent?: TaskParent | undefined;
  };
  "wait.expired": { readonly id: string; readonly parent?: TaskParent | undefined };
  "wait.cancelled": { readonly id: string; readonly reason: string };
}

export interface MessageCommands {
  "message.publish": v.InferOutput<typeof MessagePublishSchema>;
  "message.wake": { readonly id: string };
  "wait.open": Omit<Wait, "openedAt" | "expiresAt"> & {
    /** A message that came so many milliseconds before will do. Default: any that is kept. */
    readonly lookBack?: number | undefined;
    readonly timeout?: number | undefined;
  };
  "wait.wake": { readonly id: string };
  "wait.cancel": { readonly id: string; readonly reason: string };
}

/** Messages and waits of the same channel can meet. */
export function channelOf({ name, key }: Pick<Message, "name" | "key">): string {
  return JSON.stringify([name, key]);
}
