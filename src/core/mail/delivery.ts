/** What passes between the host and those who take messages. */
import * as v from "valibot";
import {
  MailAckSchema,
  MailNakSchema,
  MailSendSchema,
  MailTerminateSchema,
  type Mail,
  type SenderLevel,
} from "./mail.ts";

/** A message as it is delivered: to be answered with its id and the delivery's number before `until`. */
export interface Delivery extends Pick<
  Mail,
  | "id"
  | "type"
  | "sender"
  | "recipient"
  | "topic"
  | "key"
  | "payload"
  | "priority"
  | "correlation"
  | "sentAt"
  | "expiresAt"
  | "delivery"
> {
  readonly until: number;
  /** How surely it is known from whom it is. */
  readonly level: SenderLevel;
}

export const MailQuerySchema = v.strictObject({
  recipient: v.pipe(v.string(), v.minLength(1), v.maxLength(200)),
  /** At most so many. */
  max: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(1_000)),
  /** Milliseconds to wait for the first one. */
  wait: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(60_000)),
});
export type MailQuery = v.InferOutput<typeof MailQuerySchema>;

/** What pages and agents ask alike. */
export const MAIL_COMMANDS = [
  v.strictObject({ type: v.literal("mail.send"), data: MailSendSchema }),
  v.strictObject({ type: v.picklist(["mail.ack", "mail.extend"]), data: MailAckSchema }),
  v.strictObject({ type: v.literal("mail.nak"), data: MailNakSchema }),
  v.strictObject({ type: v.literal("mail.terminate"), data: MailTerminateSchema }),
] as const;

/** What an agent asks of mailboxes. */
export const MailAskSchema = v.variant("type", [
  ...MAIL_COMMANDS,
  v.strictObject({
    type: v.literal("mail.take"),
    data: v.strictObject({ ...MailQuerySchema.entries, recipient: v.picklist(["agent", "task"]) }),
  }),
]);
export type MailAsk = v.InferOutput<typeof MailAskSchema>;
