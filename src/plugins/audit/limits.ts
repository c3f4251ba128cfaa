/** How much an archive may hold. Whatever goes beyond is refused before memory is spent on it. */
import * as v from "valibot";
import { RuntimeError } from "../../core/errors.ts";

const MIB = 1024 * 1024;
const count = (byDefault: number) => v.optional(v.pipe(v.number(), v.safeInteger(), v.minValue(1)), byDefault);

export const LimitsSchema = v.strictObject({
  /** Files that are unpacked. */
  files: count(5_000),
  /** Entries of any kind, skipped ones too. */
  entries: count(50_000),
  /** Bytes of the archive itself. */
  archiveBytes: count(64 * MIB),
  /** Bytes of all unpacked files. */
  totalBytes: count(64 * MIB),
  /** A larger file is left out, with a finding. */
  fileBytes: count(8 * MIB),
  /** Unpacked to packed bytes, for whatever unpacks to more than 1 MiB. */
  ratio: count(200),
  /** A file with a longer or deeper path is left out, with a finding. */
  pathLength: count(512),
  depth: count(32),
  /** Characters of all paths. */
  nameBytes: count(512 * 1024),
});
export type Limits = v.InferOutput<typeof LimitsSchema>;

/** Below this size a high ratio is harmless and common: a file of blanks. */
export const RATIO_FLOOR = MIB;

/** The refusal of an archive that is too large; no attempt can make it smaller. */
export const tooLarge = (
  limit: keyof Limits | "declaredSize",
  detail: Readonly<Record<string, unknown>> = {},
): RuntimeError => final(new RuntimeError("audit/archive-too-large", { limit, ...detail }));

/** The refusal of an archive that cannot be read. */
export const unreadable = (reason: string, cause?: unknown): RuntimeError =>
  final(new RuntimeError("audit/archive-unreadable", { reason }, { cause }));

const final = (error: RuntimeError): RuntimeError => Object.assign(error, { retryable: false });

/** Adds up what an archive has cost so far. */
export interface Budget {
  readonly limits: Limits;
  /** Counts an entry of any kind. */
  entry(): void;
  /** Counts a file that will be unpacked, before it is. */
  file(path: string, size: number): void;
  /** Compares what came out with what went in. */
  expansion(packed: number, unpacked: number): void;
}

/** Each verb throws `audit/archive-too-large` when its cap is passed. */
export function createBudget(limits: Limits): Budget {
  const spent = { entries: 0, files: 0, totalBytes: 0, nameBytes: 0 };
  const spend = (what: keyof typeof spent, amount: number): void => {
    spent[what] += amount;
    if (spent[what] > limits[what]) throw tooLarge(what, { max: limits[what] });
  };
  return {
    limits,
    entry: () => {
      spend("entries", 1);
    },
    file(path, size) {
      spend("files", 1);
      spend("nameBytes", path.length);
      spend("totalBytes", size);
    },
    expansion(packed, unpacked) {
      if (unpacked <= RATIO_FLOOR || unpacked <= packed * limits.ratio) return;
      throw tooLarge("ratio", { max: limits.ratio, packed, unpacked });
    },
  };
}
