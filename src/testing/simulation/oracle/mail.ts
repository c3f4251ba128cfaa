/** Rules of mailboxes: one answer per message, by the present delivery; in order within a key; nothing after its time. */
import { textOf, type Claim, type Data, type Rules } from "./rule.ts";

export interface KnownMail {
  readonly id: string;
  readonly lane: string | undefined;
  readonly expiresAt: number;
  readonly maxDeliveries: number;
  delivery: number;
  /** It is with somebody. */
  out: boolean;
  ended: "acked" | "buried" | undefined;
}

export interface MailRules {
  readonly rules: Rules;
  readonly mails: ReadonlyMap<string, KnownMail>;
}

/** `slack`: how many milliseconds the clock on the wall has been set back so far, in all. */
export function createMailRules(claim: Claim, slack: () => number): MailRules {
  const mails = new Map<string, KnownMail>();
  /** Of a sender, recipient and key what hasn't ended, in the order of sending. */
  const lanes = new Map<string, string[]>();
  const moved = (data: Data, what: string, mustBeOut: boolean): KnownMail | undefined => {
    const mail = mails.get(textOf(data["id"]));
    const id = textOf(data["id"]);
    claim(
      mail !== undefined && mail.ended === undefined,
      "mail",
      () => `message ${id} ${what}; it was ${mail?.ended ?? "never sent"}`,
    );
    if (!mail || !mustBeOut) return mail;
    claim(mail.out, "mail", () => `message ${id} ${what}, and was with nobody`);
    claim(
      mail.delivery === data["delivery"],
      "mail",
      () => `message ${id} ${what} as delivery ${textOf(data["delivery"])}, the present one is ${mail.delivery}`,
    );
    return mail;
  };
  const end = (data: Data, how: "acked" | "buried"): void => {
    const mail = moved(data, `was ${how}`, how === "acked");
    if (!mail) return;
    mail.ended = how;
    if (mail.lane === undefined) return;
    const lane = lanes.get(mail.lane) ?? [];
    lane.splice(lane.indexOf(mail.id), 1);
  };
  const rules: Rules = {
    ...publishRules(claim),
    "mail.sent": ({ id, sender, recipient, key, expiresAt, maxDeliveries }) => {
      claim(!mails.has(textOf(id)), "once", () => `message ${textOf(id)} was sent twice`);
      const lane = key === undefined ? undefined : [sender, recipient, key].map(textOf).join(" ");
      if (lane !== undefined) lanes.set(lane, [...(lanes.get(lane) ?? []), textOf(id)]);
      const bounds = { expiresAt: Number(expiresAt), maxDeliveries: Number(maxDeliveries) };
      mails.set(textOf(id), { id: textOf(id), lane, ...bounds, delivery: 0, out: false, ended: undefined });
    },
    "mail.delivered": (data, at) => {
      const mail = moved(data, "was delivered", false);
      if (!mail) return;
      const [first = mail.id] = mail.lane === undefined ? [] : (lanes.get(mail.lane) ?? []);
      claim(first === mail.id, "mail", () => `message ${mail.id} overtook ${first} of its key`);
      deliver(claim, mail, Number(data["delivery"]), at - slack());
    },
    "mail.acked": (data) => {
      end(data, "acked");
    },
    "mail.returned": (data) => {
      const mail = moved(data, "was given back", true);
      if (mail) mail.out = false;
    },
    "mail.buried": (data) => {
      end(data, "buried");
    },
  };
  return { rules, mails };
}

function deliver(claim: Claim, mail: KnownMail, delivery: number, at: number): void {
  const { id, expiresAt, maxDeliveries } = mail;
  claim(!mail.out, "mail", () => `message ${id} was delivered while it was with somebody`);
  claim(delivery === mail.delivery + 1, "mail", () => `message ${id}: delivery ${delivery} follows ${mail.delivery}`);
  claim(delivery <= maxDeliveries, "mail", () => `message ${id} was delivered ${delivery} times`);
  claim(at < expiresAt, "mail", () => `message ${id} was delivered ${at - expiresAt} ms after its time`);
  mail.delivery = delivery;
  mail.out = true;
}

/** Messages for runs: what is published has a payload of its own, so the same a second time was said once. */
function publishRules(claim: Claim): Rules {
  const published = new Set<string>();
  return {
    "message.published": ({ payload }) => {
      claim(!published.has(textOf(payload)), "once", () => `message ${textOf(payload)} was published twice`);
      published.add(textOf(payload));
    },
  };
}
