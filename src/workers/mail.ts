/** Hands messages to those who ask for them: what can be delivered now, or what comes while they wait. */
import type { Engine } from "../core/engine.ts";
import { RuntimeError } from "../core/errors.ts";
import type { Delivery, MailQuery } from "../core/mail/delivery.ts";
import type { CoreEvent } from "../core/runtime.ts";

export interface MailDesk {
  /** Takes up to so many messages; waits for the first one, if it is to. @throws RuntimeError `host/stopped` */
  take(consumer: string, query: MailQuery): Promise<readonly Delivery[]>;
  /** The consumer is gone. */
  release(consumer: string): void;
  follow(events: readonly CoreEvent[]): void;
  stop(): void;
}

interface Asker extends MailQuery {
  readonly consumer: string;
  /** It doesn't wait any more. */
  leave(): void;
  settle(found: readonly Delivery[]): void;
  fail(error: RuntimeError): void;
}

interface State {
  readonly engine: Engine;
  /** Those who wait, by recipient, in the order in which they came. */
  readonly waiting: Map<string, Set<Asker>>;
  /** What was found for each call, until it is durable that it was delivered. */
  readonly calls: Map<number, Delivery[]>;
  last: number;
}

export function createMailDesk(engine: Engine): MailDesk {
  const state: State = { engine, waiting: new Map(), calls: new Map(), last: 0 };
  return {
    take: (consumer, query) => take(state, consumer, query),
    release(consumer) {
      const askers = [...state.waiting.values()].flatMap((some) => [...some]);
      for (const asker of askers) if (asker.consumer === consumer) asker.settle([]);
      if (engine.state.mail.held.has(consumer)) engine.submit([{ type: "mail.release", data: { consumer } }]);
    },
    follow(events) {
      follow(state, events);
    },
    stop() {
      const askers = [...state.waiting.values()].flatMap((some) => [...some]);
      for (const asker of askers) asker.fail(new RuntimeError("host/stopped"));
    },
  };
}

function take(state: State, consumer: string, query: MailQuery): Promise<readonly Delivery[]> {
  const { recipient, wait } = query;
  return new Promise((resolve, reject) => {
    const asker: Asker = {
      ...query,
      consumer,
      leave() {
        clearTimeout(timer);
        const askers = state.waiting.get(recipient);
        if (askers?.delete(asker) && askers.size === 0) state.waiting.delete(recipient);
      },
      settle(found) {
        asker.leave();
        resolve(found);
      },
      fail(error) {
        asker.leave();
        reject(error);
      },
    };
    const timer = setTimeout(asker.settle, wait, []);
    if (hasMail(state, recipient) || wait === 0) serve(state, asker);
    else state.waiting.set(recipient, (state.waiting.get(recipient) ?? new Set()).add(asker));
  });
}

function hasMail({ engine }: State, recipient: string): boolean {
  return engine.state.mail.boxes.get(recipient)?.ready.first() !== undefined;
}

/** What is found leaves when it is durable that it was delivered. */
function serve(state: State, asker: Asker): void {
  const { engine, calls } = state;
  const { recipient, consumer, max } = asker;
  asker.leave();
  const call = ++state.last;
  const found: Delivery[] = [];
  calls.set(call, found);
  engine.submit([{ type: "mail.take", data: { recipient, consumer, call, max } }], consumer);
  engine.whenDurable((stopped) => {
    calls.delete(call);
    if (stopped) asker.fail(stopped);
    else asker.settle(found);
  });
}

function follow(state: State, events: readonly CoreEvent[]): void {
  const touched = new Set<string>();
  for (const { type, data } of events) {
    if (type === "mail.delivered") deliver(state, data);
    else if (type.startsWith("mail.") && "recipient" in data) touched.add(data.recipient);
  }
  for (const recipient of touched)
    for (const asker of [...(state.waiting.get(recipient) ?? [])]) {
      if (!hasMail(state, recipient)) break;
      serve(state, asker);
    }
}

function deliver(
  { engine, calls }: State,
  { id, delivery, call }: Extract<CoreEvent, { type: "mail.delivered" }>["data"],
): void {
  const mail = engine.state.mail.mails.get(id);
  if (mail?.delivery !== delivery || mail.until === undefined) return; // it was too late meanwhile
  const { type, sender, recipient, topic, key, payload, priority, correlation, sentAt, expiresAt, until } = mail;
  const about = { topic, key, correlation, level: mail.level ?? "click" };
  calls
    .get(call)
    ?.push({ id, type, sender, recipient, payload, priority, sentAt, expiresAt, delivery, until, ...about });
}
