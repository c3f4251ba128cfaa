import { RuntimeError } from "../errors.ts";
import { checkJson } from "../json.ts";
import type { Env, FactOf, Rules } from "../kernel.ts";
import { MAX_INLINE } from "../payload/reference.ts";
import type { MailState } from "./fold.ts";
import {
  MAX_BACKOFF,
  MAX_MAILBOX,
  MAX_MAILS,
  MAX_MAIL_TEXT,
  MAX_MAIL_TYPES,
  MAX_SUBSCRIBERS,
  MAX_SUBSCRIPTIONS,
  type Burial,
  type Mail,
  type MailAnswer,
  type MailCommands,
  type MailEvents,
} from "./mail.ts";
import { checkPayload, checkType } from "./types.ts";

export interface MailView {
  readonly mail: MailState;
}

type MailFact = FactOf<MailEvents>;
type Moment = Pick<Env, "now">;

export const mailRules: Rules<MailView, MailCommands, MailEvents> = {
  decide: {
    "mail.send": ({ mail }, data, env) => send(mail, data, env),
    "mail.take": ({ mail }, data, env) => take(mail, data, env),
    "mail.ack": ({ mail }, data) =>
      deliveredAs(mail, data, "mail.acked").map((found) => ({ type: "mail.acked", data: moved(found) })),
    "mail.nak": ({ mail }, data, env) =>
      deliveredAs(mail, data, "mail.returned").flatMap((found) => giveBack(found, "nak", env, data.delay)),
    "mail.extend": ({ mail }, data, { now }) =>
      deliveredAs(mail, data, "mail.extended").map((found) => ({
        type: "mail.extended",
        data: { ...moved(found), until: now + found.ackWait },
      })),
    "mail.terminate": ({ mail }, data) =>
      deliveredAs(mail, data, "mail.buried").map((found) => bury(found, "terminated", data.reason)),
    "mail.release": ({ mail }, { consumer }, env) =>
      [...(mail.held.get(consumer) ?? [])].flatMap((id) => giveBack(mail.mails.get(id), "gone", env, 0)),
    "mail.replay": ({ mail }, { id }, env) => replay(mail, id, env),
    "mail.subscribe": ({ mail }, data) => subscribe(mail, data),
    "mail.unsubscribe": ({ mail }, data) =>
      mail.topics.get(data.topic)?.has(data.recipient) ? [{ type: "mail.unsubscribed", data }] : [],
    "mail.define": ({ mail: { types } }, data) => {
      checkType(data.name, data.schema);
      if (types.get(data.name)?.schema === data.schema) return [];
      if (types.size >= MAX_MAIL_TYPES && !types.has(data.name))
        throw new RuntimeError("message/overflow", { types: types.size, limit: MAX_MAIL_TYPES });
      return [{ type: "mail.defined", data }];
    },
    "mail.wake": ({ mail }, { id }, env) => wake(mail.mails.get(id), env),
  },
  react: {
    "mail.delivered": (_view, { recipient, consumer, call, more }) =>
      more > 0 ? [{ type: "mail.take", data: { recipient, consumer, call, max: more } }] : [],
    "mail.buried": (_view, { recipient, taking }) =>
      taking ? [{ type: "mail.take", data: { recipient, ...taking, max: taking.more } }] : [],
  },
};

const DAY = 86_400_000;

function send(state: MailState, data: MailCommands["mail.send"], { now }: Moment): MailFact[] {
  const { id, type, payload, recipient, topic, ttl = DAY, priority = "normal", actor: _a, agent: _g, ...rest } = data;
  const { ackWait = 30_000, maxDeliveries = 5, backoff = 1_000 } = data;
  if ((recipient === undefined) === (topic === undefined))
    throw new RuntimeError("command/invalid", {
      at: "recipient",
      expected: "a recipient or a topic",
      recipient,
      topic,
    });
  checkPayload(type, checkJson(payload, "payload", MAX_INLINE), state.types.get(type)?.schema);
  const terms = { ttl, ackWait, maxDeliveries, backoff, expiresAt: now + ttl };
  const mail = { ...rest, type, ...senderOf(data), payload, priority, ...terms };
  const facts =
    topic === undefined
      ? [{ ...mail, id, recipient: recipient ?? "" }]
      : subscribersOf(state, topic).map((one) => ({ ...mail, id: `${id} ${one}`, recipient: one, topic }));
  const news = facts.filter((fact) => !state.mails.has(fact.id) && !state.settled.has(fact.id)); // the same again
  checkRoom(state, news);
  return news.map((fact) => ({ type: "mail.sent", data: fact }));
}

/** Names that say who it is: they are the host's to give. */
const RESERVED = /^(?:agent|task|person):/u;

/** From whom it is, and how surely. @throws RuntimeError `message/sender-reserved` for somebody else's name */
function senderOf({ sender, actor, agent }: MailCommands["mail.send"]): Pick<Mail, "sender" | "level"> {
  if (agent !== undefined) return { sender: `agent:${agent}`, level: "agent" };
  const own = actor && `person:${actor.id}`;
  const named = sender ?? own ?? "page";
  if (named === own) return { sender: named, level: actor?.level };
  if (RESERVED.test(named)) throw new RuntimeError("message/sender-reserved", { sender: named, person: actor?.id });
  return { sender: named };
}

/** A message that nobody would get isn't taken: it is for the sender to know. */
function subscribersOf({ topics }: MailState, topic: string): string[] {
  const found = [...(topics.get(topic) ?? [])];
  if (found.length === 0) throw new RuntimeError("message/unroutable", { topic });
  return found;
}

/** What waits is bounded: who sends more is told so, rather than that others' messages are dropped. */
function checkRoom(state: MailState, news: readonly Pick<Mail, "recipient" | "payload">[]): void {
  for (const { recipient } of news) {
    const kept = state.boxes.get(recipient)?.size ?? 0;
    if (kept >= MAX_MAILBOX) throw new RuntimeError("message/overflow", { recipient, kept, limit: MAX_MAILBOX });
  }
  const kept = state.mails.size + news.length;
  if (kept > MAX_MAILS) throw new RuntimeError("message/overflow", { kept, limit: MAX_MAILS });
  const characters = news.reduce((sum, { payload }) => sum + payload.length, state.kept);
  if (characters > MAX_MAIL_TEXT) throw new RuntimeError("message/overflow", { characters, limit: MAX_MAIL_TEXT });
}

/** Delivers the first one that can be; the reaction goes on with the next. */
function take(
  { boxes, mails }: MailState,
  { recipient, consumer, call, max }: MailCommands["mail.take"],
  { now }: Moment,
): MailFact[] {
  const found = mails.get(boxes.get(recipient)?.ready.first() ?? "");
  if (!found) return [];
  if (found.expiresAt <= now) return [bury(found, "expired", undefined, { consumer, call, more: max })];
  const { id, delivery, ackWait } = found;
  const data = { id, recipient, delivery: delivery + 1, until: now + ackWait, consumer, call, more: max - 1 };
  return [{ type: "mail.delivered", data }];
}

/**
 * The message, if that delivery is the present one and whoever answers has it; none when the same answer has counted
 * already, because a host that is lost takes its replies with it. @throws RuntimeError `message/stale`
 */
function deliveredAs(
  { mails, answers }: MailState,
  { id, delivery, consumer }: MailCommands["mail.ack"],
  type: MailAnswer["type"],
): Mail[] {
  const mail = mails.get(id);
  const has = mail?.consumer;
  if (mail && mail.delivery === delivery && has !== undefined && has === (consumer ?? has)) return [mail];
  const said = answers.get(id);
  if (said && said.delivery === delivery && said.consumer === consumer && said.type === type) return [];
  throw new RuntimeError("message/stale", { id, delivery, current: mail?.delivery });
}

function moved({ id, recipient, delivery }: Mail): Pick<Mail, "id" | "recipient" | "delivery"> {
  return { id, recipient, delivery };
}

type Taking = MailEvents["mail.buried"]["taking"];

function bury(mail: Mail, cause: Burial, reason?: string, taking?: Taking): MailFact {
  const more = { ...(reason !== undefined && { reason }), ...(taking && { taking }) };
  return { type: "mail.buried", data: { ...moved(mail), cause, ...more } };
}

function giveBack(
  mail: Mail | undefined,
  cause: MailEvents["mail.returned"]["cause"],
  { now }: Moment,
  delay?: number,
): MailFact[] {
  if (!mail) return [];
  if (mail.expiresAt <= now) return [bury(mail, "expired")];
  if (mail.delivery >= mail.maxDeliveries) return [bury(mail, "max-deliveries", cause)];
  const wait = delay ?? Math.min(MAX_BACKOFF, mail.backoff * 2 ** (mail.delivery - 1));
  const later = wait > 0 && { notBefore: now + wait };
  return [{ type: "mail.returned", data: { ...moved(mail), cause, ...later } }];
}

/** Nobody has answered in time, its life is over, or it can be delivered again. */
function wake(mail: Mail | undefined, env: Moment): MailFact[] {
  if (!mail) return [];
  const { until, expiresAt, notBefore = Infinity } = mail;
  if (until !== undefined) return until <= env.now ? giveBack(mail, "timeout", env) : [];
  if (expiresAt <= env.now) return [bury(mail, "expired")];
  return notBefore <= env.now ? [{ type: "mail.ready", data: moved(mail) }] : [];
}

function replay(state: MailState, id: string, env: Env): MailFact[] {
  const found = state.dead.get(id);
  if (!found) throw new RuntimeError("message/unknown", { id });
  const { type, sender, level, recipient, topic, key, payload, priority, correlation } = found;
  const { ttl, ackWait, maxDeliveries, backoff } = found;
  const as = env.id();
  checkRoom(state, [found]);
  const mail = { type, sender, recipient, payload, priority, ttl, ackWait, maxDeliveries, backoff };
  const named = { ...(level && { level }), ...(topic !== undefined && { topic }), ...(key !== undefined && { key }) };
  const answers = correlation !== undefined && { correlation };
  return [
    { type: "mail.replayed", data: { id, as } },
    {
      type: "mail.sent",
      data: { ...mail, ...named, ...answers, id: as, replayOf: id, expiresAt: env.now + ttl },
    },
  ];
}

function subscribe({ topics, subscriptions }: MailState, data: MailCommands["mail.subscribe"]): MailFact[] {
  const { topic, recipient } = data;
  const known = topics.get(topic);
  if (known?.has(recipient)) return [];
  const count = known?.size ?? 0;
  if (count >= MAX_SUBSCRIBERS) throw new RuntimeError("message/overflow", { topic, count, limit: MAX_SUBSCRIBERS });
  if (subscriptions.size >= MAX_SUBSCRIPTIONS)
    throw new RuntimeError("message/overflow", { subscriptions: subscriptions.size, limit: MAX_SUBSCRIPTIONS });
  return [{ type: "mail.subscribed", data }];
}
