/** What is said of each rule of the static analysis, and so which rules are on. */
import type { Confidence, Severity } from "../findings.ts";
import type { RuleInfo } from "../rule-info.ts";

const rule = (
  title: string,
  [severity, confidence]: readonly [Severity, Confidence],
  cwe: string,
  help: string,
  family?: string,
): RuleInfo => ({ title, severity, confidence, cwe, help, ...(family !== undefined && { family }) });

const NO_EVAL = "Replace it by code that parses or looks up what is needed; data must never become code.";

/** Rules of ESLint itself. */
export const CORE_RULES: Readonly<Record<string, RuleInfo>> = {
  "no-eval": rule("Use of eval", ["high", "medium"], "CWE-95", NO_EVAL, "eval"),
  "no-implied-eval": rule("A text is run as code by a timer", ["high", "high"], "CWE-95", "Pass a function.", "eval"),
  "no-new-func": rule("Code is made of texts", ["high", "medium"], "CWE-95", NO_EVAL, "eval"),
  "no-script-url": rule("A javascript: URL", ["medium", "high"], "CWE-79", "Use an event listener."),
  "no-proto": rule("Use of __proto__", ["low", "medium"], "CWE-1321", "Use Object.getPrototypeOf, or a Map."),
  "no-extend-native": rule("A built-in prototype is changed", ["low", "high"], "CWE-1321", "Write a function instead."),
  "no-prototype-builtins": rule(
    "A method of Object.prototype is called on data",
    ["info", "low"],
    "CWE-1321",
    "Call Object.hasOwn: the object may have a property of that name, or no prototype.",
  ),
  "no-unsafe-finally": rule("finally swallows an error", ["low", "high"], "CWE-584", "Leave finally without a jump."),
  "no-misleading-character-class": rule(
    "A character class does not match what it shows",
    ["low", "high"],
    "CWE-185",
    "Write each character on its own, with the v or u flag.",
  ),
};

/** Rules of eslint-plugin-security, without its prefix. detect-object-injection is off: it flags every `a[b]`. */
export const SECURITY_RULES: Readonly<Record<string, RuleInfo>> = {
  "detect-eval-with-expression": rule("eval of a computed value", ["critical", "medium"], "CWE-95", NO_EVAL, "eval"),
  "detect-child-process": rule(
    "A command line is computed",
    ["high", "medium"],
    "CWE-78",
    "Use execFile or spawn with a list of arguments and no shell.",
  ),
  "detect-unsafe-regex": rule(
    "A regular expression can take exponential time",
    ["medium", "medium"],
    "CWE-1333",
    "Avoid repetitions inside repetitions, or bound the input's length.",
  ),
  "detect-non-literal-regexp": rule(
    "A regular expression is computed",
    ["low", "low"],
    "CWE-1333",
    "Escape the input, or match it without a regular expression.",
  ),
  "detect-non-literal-require": rule(
    "A module name is computed",
    ["medium", "low"],
    "CWE-829",
    "Look the module up in a fixed list.",
  ),
  "detect-non-literal-fs-filename": rule(
    "A file name is computed",
    ["low", "low"],
    "CWE-22",
    "Resolve the path and check that it stays in the intended folder.",
  ),
  "detect-pseudoRandomBytes": rule("Weak random bytes", ["high", "high"], "CWE-338", "Use crypto.randomBytes."),
  "detect-possible-timing-attacks": rule(
    "A secret is compared byte by byte",
    ["low", "low"],
    "CWE-208",
    "Use crypto.timingSafeEqual.",
  ),
  "detect-no-csrf-before-method-override": rule(
    "CSRF protection is set up before method-override",
    ["medium", "medium"],
    "CWE-352",
    "Set up method-override first.",
  ),
  "detect-buffer-noassert": rule("A buffer is read without bounds", ["medium", "high"], "CWE-119", "Drop noAssert."),
  "detect-disable-mustache-escape": rule("HTML escaping is switched off", ["high", "medium"], "CWE-79", "Leave it on."),
  "detect-new-buffer": rule(
    "new Buffer may give uninitialised memory",
    ["medium", "high"],
    "CWE-908",
    "Use Buffer.from or Buffer.alloc.",
  ),
  "detect-bidi-characters": rule(
    "Code that reads other than it runs",
    ["high", "high"],
    "CWE-1007",
    "Remove the direction-changing characters.",
  ),
  "detect-invisible-characters": rule(
    "Invisible characters in the code",
    ["medium", "medium"],
    "CWE-1007",
    "Remove them, or write them as escapes.",
  ),
};

/** What is said about a file as a whole. */
export const FILE_RULES: Readonly<Record<string, RuleInfo>> = {
  "parse-error": {
    title: "Not analysed: the file cannot be parsed",
    severity: "low",
    confidence: "high",
    help: "Correct the file, or read it by hand: no rule has looked at it.",
  },
  "too-large": {
    title: "Not analysed: the file is too large",
    severity: "low",
    confidence: "high",
    help: "Audit the sources that it was made of.",
  },
  minified: {
    title: "Minified code",
    severity: "info",
    confidence: "high",
    help: "Audit the sources that it was made of, and compare it with a build of them.",
    cwe: "CWE-506",
  },
  "more-in-file": { title: "More findings than are listed", severity: "info", confidence: "high" },
  "analysis-failed": {
    title: "Not analysed: a rule failed on the file",
    severity: "low",
    confidence: "high",
    help: "Read the file by hand.",
  },
};
