/** ESLint as a function: a text in, what the rules saw out. It runs in a worker, under a CSP without eval. */
import type { Rule } from "eslint";
import { Linter } from "eslint-linter-browserify";
import security from "eslint-plugin-security";
import { createParser, type ParserChoice } from "./parser.ts";
import { PATTERNS, type Pattern } from "./patterns.ts";
import { CORE_RULES, SECURITY_RULES } from "./rules.ts";

/** What a rule saw. */
export interface LintMessage {
  /** Without a prefix; null when the file could not be parsed. */
  readonly rule: string | null;
  readonly message: string;
  readonly line: number;
  readonly column: number;
  readonly endLine?: number | undefined;
}

export interface SourceLinter {
  /** @throws whatever a rule throws on code that is too much for it (too deep, most often). */
  lint(path: string, code: string): readonly LintMessage[];
}

type Config = Linter.Config;
/** How a text is read; the first way that can parse it counts. */
type Reading = "module" | "script" | "typescript" | "tsx" | "flow";

const GLOBALS = Object.fromEntries(
  ["setTimeout", "setInterval", "setImmediate", "execScript", "window", "self", "globalThis", "global", "document"].map(
    (name) => [name, "readonly" as const],
  ),
);

export function createSourceLinter(): SourceLinter {
  const linter = new Linter();
  const configs = new Map<Reading, Config>();

  const verify = (code: string, reading: Reading): readonly LintMessage[] => {
    let config = configs.get(reading);
    if (config === undefined) configs.set(reading, (config = configOf(reading)));
    return withoutCodeGeneration(() =>
      linter.verify(code, config, { filename: "source.js", allowInlineConfig: false }),
    ).map(({ ruleId, message, line, column, endLine, fatal }) => ({
      rule: fatal === true ? null : (ruleId?.replace(/^.*\//u, "") ?? null),
      message,
      line: Math.max(line, 1),
      column: Math.max(column, 1),
      endLine,
    }));
  };

  return {
    lint(path, code) {
      const readings = readingsOf(path, code);
      let best: readonly LintMessage[] = [];
      for (const reading of readings) {
        const messages = verify(code, reading);
        const failure = messages.find(({ rule }) => rule === null);
        if (failure === undefined) return messages;
        const before = best[0];
        if (before === undefined || failure.line > before.line) best = [failure]; // it understood more
      }
      return best;
    },
  };
}

function readingsOf(path: string, code: string): readonly Reading[] {
  if (/\.[cm]?ts$/iu.test(path)) return ["typescript"];
  if (/\.tsx$/iu.test(path)) return ["tsx"];
  const esModule = /\.mjs$/iu.test(path) || /^[ \t]*(?:import|export)\b/mu.test(code);
  return esModule ? ["module", "flow", "script"] : ["script", "module", "flow"];
}

const PARSERS: Readonly<Partial<Record<Reading, ParserChoice>>> = {
  typescript: { language: "typescript", jsx: false },
  tsx: { language: "typescript", jsx: true },
  flow: { language: "flow", jsx: true },
};

function configOf(reading: Reading): Config {
  const choice = PARSERS[reading];
  return {
    files: ["**/*.js"],
    plugins: {
      security: { rules: security.rules as never }, // untyped, and checked by the tests of each rule
      audit: { rules: Object.fromEntries(Object.entries(PATTERNS).map(([name, one]) => [name, ruleOf(one)])) },
    },
    rules: {
      ...enabled("", CORE_RULES),
      ...enabled("security/", SECURITY_RULES),
      ...enabled("audit/", PATTERNS),
    },
    languageOptions: {
      ecmaVersion: "latest",
      sourceType: reading === "script" ? "commonjs" : "module",
      globals: GLOBALS,
      parserOptions: { ecmaFeatures: { jsx: true, globalReturn: true } },
      ...(choice !== undefined && { parser: createParser(choice) }),
    },
    linterOptions: { reportUnusedDisableDirectives: "off" },
  };
}

const enabled = (prefix: string, rules: object): Record<string, "warn"> =>
  Object.fromEntries(Object.keys(rules).map((name) => [prefix + name, "warn" as const]));

const ruleOf = ({ selector, message }: Pattern): Rule.RuleModule => ({
  create: (context) => ({
    [selector](node: Rule.Node) {
      context.report({ node, message });
    },
  }),
});

/**
 * ESLint checks the options of each rule by compiling the rule's JSON schema into a function, which a strict
 * CSP forbids, and gives no way to its own rules' schemas. Our configuration is constant and has no options,
 * so while ESLint runs (it is synchronous) every schema compiles to "valid".
 */
function withoutCodeGeneration<T>(work: () => T): T {
  const original = globalThis.Function;
  globalThis.Function = new Proxy(original, { construct: () => () => () => true });
  try {
    return work();
  } finally {
    globalThis.Function = original;
  }
}
