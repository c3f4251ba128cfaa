/** Who decides on an approval: seats, how many of them it takes, and what the votes so far come to. */
import * as v from "valibot";

const name = v.pipe(v.string(), v.minLength(1), v.maxLength(200));
const whole = (least: number, most: number): v.GenericSchema<number> =>
  v.pipe(v.number(), v.integer(), v.minValue(least), v.maxValue(most));

const rights = {
  /** What the vote of one who sits here counts. Default 1. */
  weight: v.optional(whole(0, 1_000)),
  /** One rejection from here rejects, whatever others say. */
  veto: v.optional(v.boolean()),
};

/** A place among the approvers. A plain text is for whoever has it as id or as role. */
export const SeatSchema = v.union([
  name,
  v.strictObject({ id: name, ...rights }),
  v.strictObject({ role: name, ...rights }),
]);
export type Seat = v.InferOutput<typeof SeatSchema>;

/**
 * any, the default: the first answer decides. all: every seat has to be filled by another person who approves, and one
 * rejection rejects. A number: so many people have to approve. weight: their weights together have to come to so much.
 */
export const NeedSchema = v.union([
  v.picklist(["any", "all"]),
  whole(1, 100),
  v.strictObject({ weight: whole(1, 100_000) }),
]);
export type Need = v.InferOutput<typeof NeedSchema>;

/** approve, reject: that is the answer. fail: the node fails with `approval/expired`. escalate: the next step begins. */
export const ON_TIMEOUT = ["approve", "reject", "fail", "escalate"] as const;
export type OnTimeout = (typeof ON_TIMEOUT)[number];

const asked = {
  need: v.optional(NeedSchema),
  /** So many rejections, or so much of their weight, reject. Default: when too little is left to approve. */
  rejections: v.optional(whole(1, 100_000)),
  /** Milliseconds. */
  timeout: v.optional(whole(1, 365 * 86_400_000)),
  /** Every so many milliseconds the event `approval.reminded` tells that nobody has decided yet; at most a hundred times. */
  remind: v.optional(whole(1_000, 365 * 86_400_000)),
};

/** Who is asked when those before haven't decided in time. */
export const StepSchema = v.strictObject({
  approvers: v.pipe(v.array(SeatSchema), v.minLength(1), v.maxLength(100)),
  ...asked,
  /** Default: escalate while steps are left, and then reject. */
  onTimeout: v.optional(v.picklist(ON_TIMEOUT)),
});
export type Step = v.InferOutput<typeof StepSchema>;

/** How surely it is known who answers. click: a page says so. session: the host's verifier does. signed: by a key. */
export const LEVELS = ["click", "session", "signed"] as const;
export type Level = (typeof LEVELS)[number];

/** What an approval node may say of how it is decided. */
export const policyFields = {
  approvers: v.optional(v.pipe(v.array(SeatSchema), v.maxLength(100)), []),
  ...asked,
  /** Default: escalate when there is an escalation, and else reject. */
  onTimeout: v.optional(v.picklist(ON_TIMEOUT)),
  /** Who is asked next, step after step, each with its own time. */
  escalation: v.optional(v.pipe(v.array(StepSchema), v.minLength(1), v.maxLength(10))),
  /** An approver may answer otherwise before the end. Default false. */
  revote: v.optional(v.boolean()),
  /** Whoever has started the run may decide, too. Default false. */
  selfApproval: v.optional(v.boolean()),
  /** When an answer has to give a reason. Default: never. */
  needReason: v.optional(v.picklist(["always", "rejection"])),
  /** What answers are taken. Default: click. */
  trust: v.optional(v.picklist(LEVELS)),
};

/** Somebody who may sit somewhere. */
export interface Person {
  readonly id: string;
  readonly roles: readonly string[];
}

/** What an approver has said. */
export interface Vote extends Person {
  /** Who has said it: the one of the id, or whom that one has named. */
  readonly by: string;
  readonly approved: boolean;
  readonly level: Level;
  readonly reason?: string | undefined;
}

/** What decides: those who are asked now. */
export interface Poll {
  readonly approvers: readonly Seat[];
  readonly need?: Need | undefined;
  readonly rejections?: number | undefined;
  readonly votes?: readonly Vote[] | undefined;
}

export function fits(seat: Seat, { id, roles }: Person): boolean {
  if (typeof seat === "string") return seat === id || roles.includes(seat);
  return "id" in seat ? seat.id === id : roles.includes(seat.role);
}

const isVeto = (seat: Seat): boolean => typeof seat === "object" && seat.veto === true;
const weightOf = (seat: Seat): number => (typeof seat === "object" ? (seat.weight ?? 1) : 1);

/** Whether somebody may answer; without seats everybody may. */
export function isAsked({ approvers }: Poll, person: Person): boolean {
  return approvers.length === 0 || approvers.some((seat) => fits(seat, person));
}

/** What the votes come to: approved, rejected, or undefined while it is open. Votes of those who aren't asked don't count. */
export function tally(poll: Poll): boolean | undefined {
  const { approvers, need = "any", votes = [] } = poll;
  const counted = votes.filter((vote) => isAsked(poll, vote));
  const no = counted.filter(({ approved }) => !approved);
  const yes = counted.filter(({ approved }) => approved);
  if (no.some((vote) => approvers.some((seat) => isVeto(seat) && fits(seat, vote)))) return false;
  const isWeighed = typeof need === "object";
  const sum = (some: readonly Vote[]): number =>
    some.reduce((all, vote) => all + (isWeighed ? heaviest(approvers, vote) : 1), 0);
  const enough = isWeighed ? need.weight : typeof need === "number" ? need : 1;
  const total = isWeighed ? approvers.reduce((all, seat) => all + weightOf(seat), 0) : approvers.length;
  const isFirst = typeof need === "string" || approvers.length === 0;
  const { rejections = isFirst ? 1 : Math.max(1, total - enough + 1) } = poll;
  if (sum(no) >= rejections) return false;
  if (need === "all" ? approvers.length > 0 && seated(approvers, yes).size === approvers.length : sum(yes) >= enough)
    return true;
  return undefined;
}

/** Of those who sit on several seats, the most that one of these counts. */
function heaviest(seats: readonly Seat[], vote: Person): number {
  return Math.max(0, ...seats.filter((seat) => fits(seat, vote)).map(weightOf));
}

/** The places of the seats that votes fill: as many as can be have a person of their own, by augmenting paths. */
export function seated(seats: readonly Seat[], votes: readonly Vote[]): ReadonlyMap<Vote, number> {
  const sitting = new Map<Vote, number>();
  const place = (at: number, seen: Set<Vote>): boolean =>
    votes.some((vote) => {
      const seat = seats[at];
      if (seat === undefined || seen.has(vote) || !fits(seat, vote)) return false;
      seen.add(vote);
      const other = sitting.get(vote);
      if (other !== undefined && !place(other, seen)) return false;
      sitting.set(vote, at);
      return true;
    });
  for (const at of seats.keys()) place(at, new Set());
  return sitting;
}
