import type { DueIndex, Fold, Table } from "../kernel.ts";
import { keepLatest, restoreTable, saveTable } from "../tables.ts";
import { createDueQueue, type DueQueue } from "../timers/due-queue.ts";
import {
  MAX_ANSWERS,
  MAX_DEAD,
  MAX_DEAD_TEXT,
  MAX_SETTLED,
  rankOf,
  type DeadMail,
  type Mail,
  type MailAnswer,
  type MailEvents,
  type MailType,
  type Subscription,
} from "./mail.ts";

/** What follows from the messages of one recipient. */
interface Mailbox {
  /** The number of the next message. */
  readonly next: number;
  readonly size: number;
  /** What can be delivered now, by rank. */
  readonly ready: DueQueue;
}

export interface MailState {
  readonly mails: Table<Mail>;
  readonly dead: Table<DeadMail>;
  readonly subscriptions: Table<Subscription>;
  readonly types: Table<MailType>;
  /** Ids of messages that were to be sent once, and are done with. */
  readonly settled: Table<{ readonly id: string }>;
  /** The latest answers of consumers, by message. */
  readonly answers: Table<MailAnswer>;
  /** Follows from the tables, but for the mailboxes' counts. */
  readonly boxes: Map<string, Mailbox>;
  /** Those of one sender, recipient and key, oldest first: only the first one can be delivered. */
  readonly rows: Map<string, Set<string>>;
  /** What each consumer has. */
  readonly held: Map<string, Set<string>>;
  readonly topics: Map<string, Set<string>>;
  /** Characters of payloads. */
  kept: number;
  buried: number;
  readonly due: DueIndex;
}

export const mailFold: Fold<MailState, MailEvents> = {
  create: (kit) => ({
    mails: kit.table(),
    dead: kit.table(),
    subscriptions: kit.table(),
    types: kit.table(),
    settled: kit.table(),
    answers: kit.table(),
    boxes: new Map(),
    rows: new Map(),
    held: new Map(),
    topics: new Map(),
    kept: 0,
    buried: 0,
    due: kit.due("mail.wake"),
  }),
  apply: {
    "mail.sent": (state, data, at) => {
      const { recipient } = data;
      const { next: order } = boxOf(state, recipient);
      edit(state, recipient, { next: order + 1 });
      arrive(state, { ...data, sentAt: at, order, delivery: 0 });
    },
    "mail.delivered": (state, { id, delivery, consumer, until }) => {
      change(state, id, { delivery, consumer, until });
    },
    "mail.extended": (state, { id, until }) => {
      change(state, id, { until });
    },
    "mail.acked": (state, { id }) => {
      heed(state, id, "mail.acked");
      take(state, id);
    },
    "mail.returned": (state, { id, cause, notBefore }) => {
      if (cause === "nak") heed(state, id, "mail.returned");
      change(state, id, { consumer: undefined, until: undefined, notBefore });
    },
    "mail.ready": (state, { id }) => {
      change(state, id, { notBefore: undefined });
    },
    "mail.buried": (state, { id, cause, reason }, at) => {
      if (cause === "terminated") heed(state, id, "mail.buried");
      else if (reason === "nak") heed(state, id, "mail.returned");
      const mail = take(state, id);
      if (mail) bury(state, { ...mail, cause, reason, buriedAt: at });
    },
    "mail.replayed": (state, { id }) => {
      exhume(state, id);
    },
    "mail.subscribed": (state, data) => {
      subscribe(state, { ...data, id: JSON.stringify([data.topic, data.recipient]) });
    },
    "mail.unsubscribed": ({ subscriptions, topics }, { topic, recipient }) => {
      subscriptions.delete(JSON.stringify([topic, recipient]));
      drop(topics, topic, recipient);
    },
    "mail.defined": ({ types }, { name, schema }) => {
      types.set(name, { id: name, schema });
    },
  },
  save: ({ mails, dead, subscriptions, types, settled, answers, boxes }) => ({
    mails: saveTable(mails),
    dead: saveTable(dead),
    subscriptions: saveTable(subscriptions),
    types: saveTable(types),
    settled: saveTable(settled),
    answers: saveTable(answers),
    next: [...boxes].map(([id, { next }]) => [id, next]),
  }),
  restore(state, saved = {}) {
    const { mails = [], dead = [], subscriptions = [], types = [], settled = [], next = [] } = saved as Partial<Saved>;
    restoreTable(state.answers, (saved as Partial<Saved>).answers ?? []);
    for (const [id, number] of next) edit(state, id, { next: number });
    for (const mail of mails) arrive(state, mail);
    for (const mail of dead) bury(state, mail);
    for (const one of subscriptions) subscribe(state, one);
    restoreTable(state.types, types);
    restoreTable(state.settled, settled);
  },
};

interface Saved {
  readonly mails: readonly Mail[];
  readonly dead: readonly DeadMail[];
  readonly subscriptions: readonly Subscription[];
  readonly types: readonly MailType[];
  readonly settled: readonly { readonly id: string }[];
  readonly answers: readonly MailAnswer[];
  readonly next: readonly (readonly [string, number])[];
}

function boxOf({ boxes }: MailState, id: string): Mailbox {
  return boxes.get(id) ?? { next: 1, size: 0, ready: createDueQueue() };
}

function edit(state: MailState, id: string, news: Partial<Mailbox>): void {
  state.boxes.set(id, { ...boxOf(state, id), ...news });
}

function rowOf({ sender, recipient, key }: Mail): string | undefined {
  return key === undefined ? undefined : JSON.stringify([sender, recipient, key]);
}

function arrive(state: MailState, mail: Mail): void {
  const { id, recipient, payload } = mail;
  state.kept += payload.length;
  edit(state, recipient, { size: boxOf(state, recipient).size + 1 });
  const row = rowOf(mail);
  if (row !== undefined) add(state.rows, row, id);
  state.mails.set(id, mail);
  place(state, mail);
}

function change(state: MailState, id: string, news: Partial<Mail>): void {
  const before = state.mails.get(id);
  if (!before) return;
  if (before.consumer !== undefined) drop(state.held, before.consumer, id);
  const mail = { ...before, ...news };
  state.mails.set(id, mail);
  place(state, mail);
}

/** Puts the message where it belongs: among what can be delivered, or what is held; and among what is due. */
function place(state: MailState, mail: Mail): void {
  const { id, recipient, consumer, until, notBefore, expiresAt } = mail;
  const { ready } = boxOf(state, recipient);
  const row = state.rows.get(rowOf(mail) ?? "");
  const [first = id] = row ?? [];
  if (consumer !== undefined) add(state.held, consumer, id);
  if (consumer === undefined && notBefore === undefined && first === id) ready.set(id, rankOf(mail));
  else ready.delete(id);
  state.due.set(id, until ?? Math.min(expiresAt, notBefore ?? Infinity));
}

/** Takes it out of its mailbox; the next one of its row can be delivered then. */
function take(state: MailState, id: string): Mail | undefined {
  const mail = state.mails.get(id);
  if (!mail) return undefined;
  if (mail.once) keepLatest(state.settled, { id }, MAX_SETTLED);
  state.mails.delete(id);
  state.due.delete(id);
  state.kept -= mail.payload.length;
  if (mail.consumer !== undefined) drop(state.held, mail.consumer, id);
  const { ready, size } = boxOf(state, mail.recipient);
  ready.delete(id);
  if (size === 1) state.boxes.delete(mail.recipient);
  else edit(state, mail.recipient, { size: size - 1 });
  const row = rowOf(mail);
  if (row !== undefined) {
    drop(state.rows, row, id);
    const [next = ""] = state.rows.get(row) ?? [];
    const follower = state.mails.get(next);
    if (follower) place(state, follower);
  }
  return mail;
}

/** Whoever has it has answered. */
function heed({ mails, answers }: MailState, id: string, type: MailAnswer["type"]): void {
  const { delivery = 0, consumer } = mails.get(id) ?? {};
  if (consumer !== undefined) keepLatest(answers, { id, delivery, consumer, type }, MAX_ANSWERS);
}

function bury(state: MailState, mail: DeadMail): void {
  state.dead.set(mail.id, mail);
  state.buried += mail.payload.length;
  for (const [oldest] of state.dead.entries()) {
    if (state.dead.size <= MAX_DEAD && state.buried <= MAX_DEAD_TEXT) return;
    exhume(state, oldest);
  }
}

function exhume(state: MailState, id: string): void {
  state.buried -= state.dead.get(id)?.payload.length ?? 0;
  state.dead.delete(id);
}

function subscribe({ subscriptions, topics }: MailState, one: Subscription): void {
  subscriptions.set(one.id, one);
  add(topics, one.topic, one.recipient);
}

function add(sets: Map<string, Set<string>>, key: string, member: string): void {
  const set = sets.get(key);
  if (set) set.add(member);
  else sets.set(key, new Set([member]));
}

function drop(sets: Map<string, Set<string>>, key: string, member: string): void {
  const set = sets.get(key);
  if (set?.delete(member) && set.size === 0) sets.delete(key);
}
