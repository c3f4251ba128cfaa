import { RuntimeError } from "../errors.ts";
import { checkJson, decodeJson } from "../json.ts";
import type { FactOf, Rules } from "../kernel.ts";
import { MAX_INLINE } from "../payload/reference.ts";
import type { MessagesState } from "./fold.ts";
import {
  channelOf,
  MAX_ALIKE,
  MAX_KEPT,
  MAX_MESSAGES,
  MESSAGE_LIFE,
  type Message,
  type MessageCommands,
  type MessageEvents,
  type Wait,
} from "./message.ts";

export interface MessagesView {
  readonly messages: MessagesState;
}

type MessageFact = FactOf<MessageEvents>;

export const messagesRules: Rules<MessagesView, MessageCommands, MessageEvents> = {
  decide: {
    "message.publish": ({ messages }, data, env) => publish(messages, data, env),
    "message.wake": ({ messages }, { id }, { now }) => {
      const message = messages.messages.get(id);
      if (!message || message.expiresAt > now) return [];
      const { name, key, met } = message;
      return [{ type: "message.dropped", data: { id, name, key, met } }];
    },
    "wait.open": ({ messages }, data, env) => open(messages, data, env),
    "wait.wake": ({ messages }, { id }, { now }) => {
      const wait = messages.waits.get(id);
      if (wait?.expiresAt === undefined || wait.expiresAt > now) return [];
      const parent = wait.parent && { parent: wait.parent };
      return [{ type: "wait.expired", data: { id, ...parent } }];
    },
    "wait.cancel": ({ messages }, data) => (messages.waits.has(data.id) ? [{ type: "wait.cancelled", data }] : []),
  },
};

interface Moment {
  readonly now: number;
  readonly id: () => string;
}

/** Hands the message to every broadcast wait and to the oldest other one; keeps it for later when no one took it. */
function publish(
  state: MessagesState,
  { name, key = "", id: named, payload, ttl = MESSAGE_LIFE }: MessageCommands["message.publish"],
  env: Moment,
): MessageFact[] {
  if (named !== undefined && isKnown(state, named, env.now)) return [];
  decodeJson(checkJson(payload, "payload", MAX_INLINE), "payload"); // it becomes a part of an output
  const id = named ?? env.id();
  const channel = state.channels.get(channelOf({ name, key }));
  const [taker] = channel?.ones ?? [];
  const message: Message = { id, name, key, payload, publishedAt: env.now, expiresAt: env.now + ttl, met: 0 };
  if (taker === undefined && ttl > 0) checkRoom(state, message, channel?.messages.size ?? 0);
  const { publishedAt: _, met: _none, ...data } = message;
  const broadcasts = [...(channel?.broadcasts ?? [])];
  const takers = taker === undefined ? broadcasts : [...broadcasts, taker];
  const isLost = taker === undefined && ttl === 0;
  return [
    { type: "message.published", data: { ...data, ...(named !== undefined && { named: true }) } },
    ...takers.flatMap((wait) => meet(state.waits.get(wait), message)),
    ...(isLost ? [{ type: "message.dropped", data: { id, name, key, met: broadcasts.length } } as const] : []),
  ];
}

/** The same was published before, not longer ago than is remembered. */
function isKnown({ remembered, messages }: MessagesState, id: string, now: number): boolean {
  return messages.has(id) || (remembered.get(id)?.until ?? 0) > now;
}

/** What is kept is bounded: who publishes more is told so, rather than that others' messages are dropped. */
function checkRoom(state: MessagesState, { name, key, payload }: Message, alike: number): void {
  const { size } = state.messages;
  if (alike >= MAX_ALIKE) throw new RuntimeError("message/overflow", { name, key, kept: alike, limit: MAX_ALIKE });
  if (size >= MAX_MESSAGES) throw new RuntimeError("message/overflow", { name, kept: size, limit: MAX_MESSAGES });
  if (state.kept + payload.length > MAX_KEPT)
    throw new RuntimeError("message/overflow", { name, characters: state.kept + payload.length, limit: MAX_KEPT });
}

/** Begins to wait; a kept message that is young enough is had at once. */
function open(
  state: MessagesState,
  { lookBack = Infinity, timeout, ...wait }: MessageCommands["wait.open"],
  { now }: Moment,
): MessageFact[] {
  if (state.waits.has(wait.id)) return [];
  const data = { ...wait, ...(timeout !== undefined && { expiresAt: now + timeout }) };
  const opened: MessageFact = { type: "wait.opened", data };
  for (const id of state.channels.get(channelOf(wait))?.messages ?? []) {
    const message = state.messages.get(id);
    if (!message || message.publishedAt < now - lookBack || message.expiresAt <= now) continue;
    return [opened, ...meet({ ...data, openedAt: now }, message)];
  }
  return [opened];
}

function meet(wait: Wait | undefined, message: Message): MessageFact[] {
  if (!wait) return [];
  const { name, key, payload, publishedAt } = message;
  const { id, consume, parent } = wait;
  const taken = consume === "one";
  const data = { id, message: message.id, name, key, payload, publishedAt, taken, ...(parent && { parent }) };
  return [{ type: "wait.met", data }];
}
