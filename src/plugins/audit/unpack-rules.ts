/** What is said of each thing that was odd about the archive. */
import type { RuleInfo } from "./rule-info.ts";

export const UNPACK_RULES = {
  "unsafe-path": {
    title: "An entry that would be written outside of its folder",
    severity: "high",
    confidence: "high",
    help: "Do not unpack the archive with a tool that follows such paths; ask where it comes from.",
    cwe: "CWE-22",
  },
  link: {
    title: "A link or device in the archive",
    severity: "low",
    confidence: "high",
    help: "Links are not followed: what they stand for was not analysed.",
    cwe: "CWE-59",
  },
  "unwieldy-path": {
    title: "Not analysed: the path is too long or too deep",
    severity: "low",
    confidence: "high",
    help: "Shorten the path.",
  },
  "file-too-large": {
    title: "Not analysed: the file is too large",
    severity: "low",
    confidence: "high",
    help: "Look at it by hand, or raise the limit.",
  },
  "unreadable-entry": {
    title: "Not analysed: the entry is encrypted or packed in an unusual way",
    severity: "medium",
    confidence: "high",
    help: "Ask for the content in the clear.",
    cwe: "CWE-506",
  },
  "nested-archive": {
    title: "Not analysed: an archive in the archive",
    severity: "info",
    confidence: "high",
    help: "Unpack it and audit what it holds.",
  },
  "duplicate-path": {
    title: "Two entries of the same path",
    severity: "medium",
    confidence: "high",
    help: "Tools differ in which one they take; the last one was analysed.",
    cwe: "CWE-694",
  },
  "case-collision": {
    title: "Two files whose paths differ in case or form only",
    severity: "low",
    confidence: "high",
    help: "On Windows and macOS one of them replaces the other.",
    cwe: "CWE-178",
  },
  "deceptive-path": {
    title: "A path with invisible characters",
    severity: "medium",
    confidence: "high",
    help: "Rename the file: its name shows as another one.",
    cwe: "CWE-1007",
  },
  "more-findings": {
    title: "More findings than are listed",
    severity: "info",
    confidence: "high",
  },
} as const satisfies Readonly<Record<string, RuleInfo>>;

export type UnpackRule = keyof typeof UNPACK_RULES;
