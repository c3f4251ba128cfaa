import type { DueIndex, Fold, Table } from "../kernel.ts";
import { copyJson } from "../json.ts";
import { keepLatest, restoreTable, saveTable } from "../tables.ts";
import {
  channelOf,
  MAX_REMEMBERED,
  MESSAGE_LIFE,
  type Message,
  type MessageEvents,
  type Remembered,
  type Wait,
} from "./message.ts";

/** Ids of one name and key, each in the order in which they came. */
export interface Channel {
  readonly messages: Set<string>;
  readonly ones: Set<string>;
  readonly broadcasts: Set<string>;
}

export interface MessagesState {
  readonly messages: Table<Message>;
  readonly waits: Table<Wait>;
  readonly remembered: Table<Remembered>;
  /** Follows from the tables. */
  readonly channels: Map<string, Channel>;
  /** Characters of all messages that are kept. */
  kept: number;
  readonly messagesDue: DueIndex;
  readonly waitsDue: DueIndex;
}

export const messagesFold: Fold<MessagesState, MessageEvents> = {
  create: (kit) => ({
    messages: kit.table(),
    waits: kit.table(),
    remembered: kit.table(),
    channels: new Map(),
    kept: 0,
    messagesDue: kit.due("message.wake"),
    waitsDue: kit.due("wait.wake"),
  }),
  apply: {
    "message.published": (state, { named, ...message }, at) => {
      if (named)
        keepLatest(
          state.remembered,
          { id: message.id, until: Math.max(message.expiresAt, at + MESSAGE_LIFE) },
          MAX_REMEMBERED,
        );
      keep(state, { ...message, publishedAt: at, met: 0 });
    },
    "message.dropped": (state, { id }) => {
      take(state, id);
    },
    "wait.opened": (state, data, at) => {
      open(state, { ...copyJson(data), openedAt: at });
    },
    "wait.met": (state, { id, message, taken }) => {
      close(state, { id });
      const found = state.messages.get(message);
      if (taken) take(state, message);
      else if (found) state.messages.set(message, { ...found, met: found.met + 1 });
    },
    "wait.expired": close,
    "wait.cancelled": close,
  },
  save: ({ messages, waits, remembered }) => ({
    messages: saveTable(messages),
    waits: saveTable(waits),
    remembered: saveTable(remembered),
  }),
  restore(state, saved = {}) {
    const { messages = [], waits = [], remembered = [] } = saved as Partial<Saved>;
    for (const message of messages) keep(state, message);
    for (const wait of waits) open(state, wait);
    restoreTable(state.remembered, remembered);
  },
};

interface Saved {
  readonly messages: readonly Message[];
  readonly waits: readonly Wait[];
  readonly remembered: readonly Remembered[];
}

function keep(state: MessagesState, message: Message): void {
  const { id, payload, expiresAt } = message;
  state.messages.set(id, message);
  state.kept += payload.length;
  state.messagesDue.set(id, expiresAt);
  channelFor(state, channelOf(message)).messages.add(id);
}

function take(state: MessagesState, id: string): void {
  const message = state.messages.get(id);
  if (!message) return;
  state.messages.delete(id);
  state.kept -= message.payload.length;
  state.messagesDue.delete(id);
  leave(state, channelOf(message), (channel) => channel.messages.delete(id));
}

function open(state: MessagesState, wait: Wait): void {
  const { id, consume, expiresAt } = wait;
  state.waits.set(id, wait);
  if (expiresAt !== undefined) state.waitsDue.set(id, expiresAt);
  const channel = channelFor(state, channelOf(wait));
  (consume === "one" ? channel.ones : channel.broadcasts).add(id);
}

function close(state: MessagesState, { id }: { readonly id: string }): void {
  const wait = state.waits.get(id);
  if (!wait) return;
  state.waits.delete(id);
  state.waitsDue.delete(id);
  leave(state, channelOf(wait), ({ ones, broadcasts }) => ones.delete(id) || broadcasts.delete(id));
}

/** The channel, made if it isn't there. */
function channelFor({ channels }: MessagesState, key: string): Channel {
  let channel = channels.get(key);
  if (!channel) {
    channel = { messages: new Set(), ones: new Set(), broadcasts: new Set() };
    channels.set(key, channel);
  }
  return channel;
}

/** Changes the channel, and drops it when nothing is in it any more. */
function leave({ channels }: MessagesState, key: string, change: (channel: Channel) => unknown): void {
  const channel = channels.get(key);
  if (!channel) return;
  change(channel);
  if (channel.messages.size + channel.ones.size + channel.broadcasts.size === 0) channels.delete(key);
}
