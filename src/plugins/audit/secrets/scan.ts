/**
 * Finds credentials in a text, with secretlint's recommended rules. What it returns can be masked
 * everywhere: no part of a report shows more of a secret than its first characters and its length.
 */
import { lintSource } from "@secretlint/core";
import { secretLintProfiler } from "@secretlint/profiler";
import { creator } from "@secretlint/secretlint-rule-preset-recommend";
import type { SecretLintCoreConfig } from "@secretlint/types";
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

const CONFIG: SecretLintCoreConfig = {
  rules: [
    {
      id: "@secretlint/secretlint-rule-preset-recommend",
      rule: creator,
      rules: [
        // The author of the code must not be able to switch the audit off with a comment.
        { id: "@secretlint/secretlint-rule-filter-comments", disabled: true },
        { id: "@secretlint/secretlint-rule-aws", options: { enableIDScanRule: true } },
      ],
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

export async function scanSecrets(path: string, text: string): Promise<SecretScan> {
  const name = path.slice(path.lastIndexOf("/") + 1);
  const { messages } = await lintSource({
    source: { filePath: path, content: text, ext: /\.[^.]*$/u.exec(name)?.[0] ?? "", contentType: "text" },
    options: { config: CONFIG, noPhysicFilePath: true },
  });
  const secrets: Secret[] = [];
  const hidden: Masked[] = [];
  for (const { messageId, range, data } of messages) {
    const whole = { start: range[0], end: range[1] };
    const found = valuesOf(data).flatMap((value) => locate(text, value, whole));
    const spans = found.length > 0 ? found : [whole];
    for (const span of spans) {
      const value = text.slice(span.start, span.end);
      secrets.push({ ...span, name: messageId, value, mask: maskOf(value) });
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
