/**
 * Finds credentials in a text, with secretlint's recommended rules. What it returns can be masked
 * everywhere: no part of a report shows more of a secret than its first characters and its length.
 */
import { lintSource } from "@secretlint/core";
import { secretLintProfiler } from "@secretlint/profiler";
import { creator } from "@secretlint/secretlint-rule-preset-recommend";
import type { SecretLintCoreConfig, SecretLintRulePresetCreator } from "@secretlint/types";
import type { Masked, Span } from "../source-text.ts";

/** A credential in a text. */
export interface Secret extends Span {
  /** What secretlint calls it: `GITHUB_TOKEN`, `PrivateKey`… */
  readonly name: string;
  /** The secret itself. It must not leave the analyser. */
  readonly value: string;
  /** What may be shown instead. */
  readonly mask: string;
}

export interface SecretScan {
  /** In order, one for each place. */
  readonly secrets: readonly Secret[];
  /** Every part of the text that holds (a copy of) one of them. */
  readonly masked: readonly Masked[];
  /** Replaces them in a text that was made from this one: a message, a name. */
  redact(text: string): string;
}

const COMMENTS = "@secretlint/secretlint-rule-filter-comments";

/** The preset without the rule by which the author of the code could switch the others off with a comment. */
const preset: SecretLintRulePresetCreator = {
  ...creator,
  create: (context, options) => {
    const registerRule: typeof context.registerRule = (rule, defaults) => {
      if (rule.meta.id !== COMMENTS) context.registerRule(rule, defaults);
    };
    creator.create({ ...context, registerRule }, options);
  },
};

const CONFIG: SecretLintCoreConfig = {
  rules: [
    {
      id: "@secretlint/secretlint-rule-preset-recommend",
      rule: preset,
      rules: [{ id: "@secretlint/secretlint-rule-aws", options: { enableIDScanRule: true } }],
    },
  ],
};

// It keeps every mark of every rule and searches them all at each mark: quadratic in the number of files.
Object.assign(secretLintProfiler, { mark: () => undefined });

/** Copies of more secrets than this are looked for only near the places that secretlint names. */
const MAX_COPIES_OF = 100;
/** How far a rule's range may be off: it begins where the match does, not where the secret does. */
const NEAR = 512;
/** Shorter values are no secrets; masking them would blank out half of the file. */
const MIN_LENGTH = 6;

/**
 * A longer text is read in windows that overlap by more than the longest secret: secretlint compares each of its
 * messages with each other, and so would take hours for a file of nothing but tokens.
 */
const WINDOW = 64 * 1024;
const OVERLAP = 16 * 1024;

export async function scanSecrets(path: string, text: string): Promise<SecretScan> {
  const messages: Message[] = [];
  for (let start = 0; start === 0 || start < text.length; start += WINDOW)
    messages.push(...(await scanWindow(path, text.slice(start, start + WINDOW + OVERLAP), start)));
  const secrets: Secret[] = [];
  const hidden: Masked[] = [];
  for (const { name, whole, data } of messages) {
    const found = valuesOf(data).flatMap((value) => locate(text, value, whole));
    const spans = found.length > 0 ? found : [whole];
    for (const span of spans) {
      const value = text.slice(span.start, span.end);
      secrets.push({ ...span, name, value, mask: maskOf(value) });
    }
    hidden.push({ ...whole, mask: maskOf(text.slice(whole.start, whole.end)) });
  }
  const distinct = [...new Map(secrets.map((secret) => [secret.value, secret])).values()];
  for (const secret of distinct.slice(0, MAX_COPIES_OF)) hidden.push(...copiesOf(text, secret));
  return {
    secrets: withoutOverlaps(secrets),
    masked: withoutOverlaps([...secrets, ...hidden]).map(({ start, end, mask }) => ({ start, end, mask })),
    redact: (message) => distinct.reduce((out, { value, mask }) => out.replaceAll(value, mask), message),
  };
}

/** What secretlint says, with places in the whole text. */
interface Message {
  readonly name: string;
  readonly whole: Span;
  readonly data: unknown;
}

async function scanWindow(path: string, content: string, offset: number): Promise<readonly Message[]> {
  const ext = /\.[^./]*$/u.exec(path)?.[0] ?? "";
  const { messages } = await lintSource({
    source: { filePath: path, content, ext, contentType: "text" },
    options: { config: CONFIG, noPhysicFilePath: true },
  });
  return messages.map(({ messageId, range: [start, end], data }) => ({
    name: messageId,
    whole: { start: start + offset, end: end + offset },
    data,
  }));
}

/** What a message quotes beside the secret. */
const NO_SECRETS: ReadonlySet<string> = new Set(["typeName", "FILE_NAME"]);

/** The secrets that a message quotes. */
function valuesOf(data: unknown): string[] {
  if (typeof data !== "object" || data === null) return [];
  return Object.entries(data).flatMap(([key, value]: readonly [string, unknown]) =>
    typeof value === "string" && value.length >= MIN_LENGTH && !NO_SECRETS.has(key) ? [value] : [],
  );
}

function locate(text: string, value: string, { start, end }: Span): Span[] {
  const at = text.slice(start, end + value.length + NEAR).indexOf(value);
  return at === -1 ? [] : [{ start: start + at, end: start + at + value.length }];
}

function copiesOf(text: string, { value, mask }: Secret): Masked[] {
  const copies: Masked[] = [];
  for (let at = text.indexOf(value); at !== -1; at = text.indexOf(value, at + value.length))
    copies.push({ start: at, end: at + value.length, mask });
  return copies;
}

/** Sorted, and of those that overlap one: the first and longest, stretched over the others. */
function withoutOverlaps<T extends Span>(spans: readonly T[]): T[] {
  const out: T[] = [];
  for (const span of [...spans].sort((a, b) => a.start - b.start || b.end - a.end)) {
    const last = out.at(-1);
    if (last === undefined || span.start >= last.end) out.push(span);
    else if (span.end > last.end) out[out.length - 1] = { ...last, end: span.end };
  }
  return out;
}

/** At most the first four characters, and of a short secret fewer, with its length. */
export function maskOf(secret: string): string {
  const shown = secret.slice(0, Math.min(4, Math.floor(secret.length / 4)));
  return `${shown}…(${String(secret.length)})`;
}
