/** What the rules of the oracle have in common. They read journals as JSON and share no code with the core. */

/** A promise that was broken. */
export interface Violation {
  /** In short, as it stands in docs/testing.md. */
  readonly rule: string;
  readonly text: string;
}

/** Notes a violation unless it holds. */
export type Claim = (holds: boolean, rule: string, text: () => string) => void;

/** An event's data, unchecked: a field that isn't there reads as undefined. */
export type Data = Readonly<Record<string, unknown>>;

export type Rules = Readonly<Record<string, (data: Data, at: number) => void>>;

export interface JournalEvent {
  readonly type: string;
  readonly data: Data;
  readonly at: number;
}

export const textOf = (value: unknown): string => (typeof value === "string" ? value : JSON.stringify(value));
