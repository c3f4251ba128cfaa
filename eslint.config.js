import js from "@eslint/js";
import { defineConfig } from "eslint/config";
import tseslint from "typescript-eslint";

const counted = { skipBlankLines: true, skipComments: true };
/** @type {import("eslint").Linter.RulesRecord} */
const lineLimits = {
  "max-lines": ["error", 400],
  "max-lines-per-function": ["error", { max: 60, ...counted }],
};

export default defineConfig(
  { ignores: ["dist/", "demo/dist/", ".cache/", "coverage/", "bench/results/", "bench/dist/"] },
  js.configs.recommended,
  {
    files: ["**/*.ts"],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      ...lineLimits,
      eqeqeq: "error",
      "no-console": "error",
      "no-restricted-syntax": [
        "error",
        { selector: "TSEnumDeclaration", message: "A union of strings, or a const object, says the same and erases." },
        { selector: "ExportDefaultDeclaration", message: "A named export has one name everywhere." },
      ],
      "@typescript-eslint/consistent-type-imports": ["error", { fixStyle: "inline-type-imports" }],
      "@typescript-eslint/consistent-type-exports": "error",
      "@typescript-eslint/explicit-module-boundary-types": "error",
      "@typescript-eslint/no-explicit-any": "error",
      "@typescript-eslint/no-non-null-assertion": "error",
      "@typescript-eslint/no-unsafe-enum-assignment": "off", // there are no enums, and it takes keys of plain objects for some
      "@typescript-eslint/unbound-method": "off", // factories: nothing here has a `this` to lose
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      "@typescript-eslint/no-confusing-void-expression": ["error", { ignoreArrowShorthand: true }],
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_", ignoreRestSiblings: true }],
    },
  },
  {
    // describe blocks are functions too; chai's assertions are expressions; a test may log
    files: ["test/**/*.ts", "bench/**/*.ts"],
    rules: {
      "max-lines-per-function": "off",
      "no-console": "off",
      "@typescript-eslint/no-unused-expressions": "off",
      "@typescript-eslint/no-floating-promises": [
        "error",
        { allowForKnownSafeCalls: [{ from: "package", package: "node:test", name: ["describe", "it", "test"] }] },
      ],
    },
  },
  { files: ["**/*.d.ts"], rules: { "no-restricted-syntax": "off" } },
  {
    files: ["**/*.js"],
    rules: { ...lineLimits, eqeqeq: "error", "no-undef": "off" }, // the compiler checks the names, and knows them all
  },
);
