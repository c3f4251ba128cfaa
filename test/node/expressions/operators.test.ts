import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { evaluate } from "./support.ts";
import { fails, refuses, says, scope } from "./tables.ts";

describe("literals", () => {
  says("reads numbers as doubles", [
    ["0", 0],
    ["42", 42],
    ["0x1F", 31],
    ["0XfF", 255],
    ["1.5", 1.5],
    [".5", 0.5],
    ["1e3", 1_000],
    ["2.5E-1", 0.25],
    ["1e300", 1e300],
    ["9007199254740991", Number.MAX_SAFE_INTEGER],
    ["-0", 0],
    ["-0.0", 0],
    ["--1", 1],
  ]);
  refuses("refuses numbers that a double can't hold, and kinds of numbers it does not know", [
    "9007199254740992",
    "0xFFFFFFFFFFFFFFFF",
    "1e309",
    "1u",
    "1abc",
    "0x",
    "1e",
    "1_000",
    "1.",
    "08a",
  ]);
  says("reads strings with the escapes of CEL", [
    [`''`, ""],
    [`""`, ""],
    [`'a"b'`, 'a"b'],
    [`"a'b"`, "a'b"],
    ["'\\a\\b\\f\\n\\r\\t\\v\\\\\\?\\\"\\'\\`'", "\x07\b\f\n\r\t\v\\?\"'`"],
    [String.raw`'\x41\X42\u0043\U0001F600\101\377'`, "ABC😀Aÿ"],
    [`'''x''x'''`, "x''x"],
    [`"""a\nb"""`, "a\nb"],
    ["'''a\nb'''", "a\nb"],
    [String.raw`r'\n'`, "\\n"],
    [String.raw`R"\"`, "\\"],
    ["r'''a\n\\'''", "a\n\\"],
    [`''''''`, ""],
    ["'ÿ😀'", "ÿ😀"],
  ]);
  refuses("refuses broken strings", [
    "'a",
    '"a',
    "'a\nb'",
    "r'a\nb'",
    "'a\rb'",
    "'''a",
    "''''",
    String.raw`'\s'`,
    String.raw`'\1'`,
    String.raw`'\12'`,
    String.raw`'\400'`,
    String.raw`'\x4'`,
    String.raw`'\u12'`,
    String.raw`'\uD83D'`,
    String.raw`'\uD83D\uDE03'`,
    String.raw`'\U00110000'`,
    String.raw`'\U0000DFFF'`,
    "'\\😀'",
    "b'abc'",
    "br'abc'",
  ]);
  says("reads words, lists and maps, with a comma at the end", [
    ["true", true],
    ["false", false],
    ["null", null],
    ["[]", []],
    ["[1, 'a', [null],]", [1, "a", [null]]],
    ["{}", {}],
    ["{'a': 1, 'b-c': {'d': []},}", { a: 1, "b-c": { d: [] } }],
    ["{'a' + 'b': 1}", { ab: 1 }],
  ]);
  refuses("refuses broken lists and maps", [
    "[1",
    "[,]",
    "[1,,]",
    "{'a'}",
    "{'a':}",
    "{'a': 1",
    "{a: }",
    "(1",
    "()",
    "(1,)",
  ]);
  fails("takes only strings as keys of a map", "type", ["{1: 2}", "{true: 1}", "{null: 1}", "{input: 1}"]);
  fails("refuses a key that is given twice", "name", ["{'a': 1, 'a': 2}", "{'ab': 1, 'a' + 'b': 2}"]);
  says("skips blanks and comments", [
    [" \t\n\f\r1", 1],
    ["1 // one", 1],
    ["1 // one\n + // 'two\n 2", 3],
    ["// first\n1", 1],
  ]);
});

describe("operators", () => {
  says("rank and group as in CEL", [
    ["1 + 2 * 3", 7],
    ["(1 + 2) * 3", 9],
    ["10 - 4 - 3", 3],
    ["100 / 10 / 2", 5],
    ["2 * 3 % 4", 2],
    ["-2 * -3", 6],
    ["1 + 1 == 2 && 2 < 3 || false", true],
    ["true || false && false", true],
    ["false && true || true", true],
    ["!true || true", true],
    ["!false && false", false],
    ["1 < 2 == true", true],
    ["1 == 1 == true", true],
    ["2 in [1, 2] == true", true],
    ["false ? 1 : false ? 2 : 3", 3],
    ["true ? (false ? 1 : 2) : 3", 2],
    ["1 > 2 ? 'a' : 'b' + 'c'", "bc"],
    ["true || false ? 1 : 2", 1],
    ["-input.n", -4],
    ["!input.flag", false],
    ["- - 1", 1],
    ["!!true", true],
  ]);
  refuses("follow the grammar", [
    "",
    "1 2",
    "1 +",
    "+ 1",
    "* 1",
    "a b",
    "1 = 1",
    "a & b",
    "a | b",
    "a ? b",
    "a ? b ? c : d : e",
    "a ?: b",
    ")",
    "a)",
    "in",
    "1 in",
    "a; b",
    "a = 1",
    "#",
    "a.?b",
    "a[?0]",
    "a.",
    "a.1",
    "a.true",
    "a.in",
    "a.'b'",
    "a[",
    "a[]",
    ".a",
    "a..b",
    "`a`",
    "${a}",
    "a => a",
    "a.`b`",
  ]);
  says("calculate with numbers", [
    ["vars.n + 1", 2],
    ["7 / 2", 3.5],
    ["7 % 3", 1],
    ["-7 % 3", -1],
    ["7 % -3", 1],
    ["0.1 + 0.2", 0.1 + 0.2],
    ["0 * -1", 0],
    ["-4 % 2", 0],
    ["1 - 1.5", -0.5],
  ]);
  it("never gives −0, which JSON does not know", () => {
    for (const source of ["-0", "0 * -1", "-4 % 2", "0 / -5", "-vars.n * 0", "int(-0.5)", "double('-0')", "-(1 - 1)"]) {
      assert.ok(Object.is(evaluate(source, scope), 0), source);
    }
  });
  fails("fail where there is no finite number", "range", [
    "1 / 0",
    "0 / 0",
    "1 % 0",
    "5.5 % 2",
    "1e300 * 1e300",
    "-1e308 - 1e308",
  ]);
  says("join strings and lists", [
    ["'a' + 'b' + ''", "ab"],
    ["[1] + [] + ['x']", [1, "x"]],
    ["input.list + [4]", [1, 2, 3, 4]],
  ]);
  fails("fail on values that they don't take", "type", [
    "1 + 'a'",
    "'a' + 1",
    "null + 1",
    "{} + {}",
    "[1] + 1",
    "true + true",
    "'a' - 'b'",
    "'a' * 2",
    "[] * 2",
    "-'a'",
    "-null",
    "!1",
    "!null",
    "!''",
    "1 < 'a'",
    "null < 1",
    "null < null",
    "[1] < [2]",
    "1 < 2 < 3",
    "1 in 'abc'",
    "'a' in 'abc'",
    "1 in null",
    "1 ? 2 : 3",
    "null ? 2 : 3",
  ]);
  says("order numbers, strings by code points, and booleans", [
    ["1 < 2", true],
    ["2 <= 2", true],
    ["2 > 2.5", false],
    ["2.5 >= 2.5", true],
    ["1e308 > -1e308", true],
    ["'a' < 'b'", true],
    ["'a' < 'B'", false],
    ["'' < 'a'", true],
    ["'a' < 'ab'", true],
    ["'ab' <= 'ab'", true],
    ["'\\uFFFD' < '\\U0001F600'", true],
    ["'\\U0001F600' < '\\U0001F601'", true],
    ["'\\uFFFF' < '\\U0001F600'", true],
    ["'\\uFFFFz' < '\\uFFFF\\U0001F600'", true],
    ["'\\uFFFF' < '\\uFFFFa'", true],
    ["false < true", true],
    ["true <= false", false],
  ]);
  says("compare in depth, without regard to the order of keys, and find different kinds unequal", [
    ["1 == 1.0", true],
    ["1 != 2", true],
    ["'1' == 1", false],
    ["null == null", true],
    ["null == 0", false],
    ["null == false", false],
    ["true == 1", false],
    ["[] == {}", false],
    ["[1, [2]] == [1, [2]]", true],
    ["[1, 2] == [2, 1]", false],
    ["[1] == [1, 2]", false],
    ["{'a': 1, 'b': [2]} == {'b': [2], 'a': 1}", true],
    ["{'a': 1} == {'a': 1, 'b': 2}", false],
    ["{'a': 1} == {'b': 1}", false],
    ["{'a': null} == {}", false],
    ["input.list == [1, 2, 3]", true],
    ["input.nothing == null", true],
    ["'' == null", false],
  ]);
  says("look for members", [
    ["2 in [1, 2]", true],
    ["'2' in [1, 2]", false],
    ["[2] in [[1], [2]]", true],
    ["null in [null]", true],
    ["1 in []", false],
    ["'flag' in input", true],
    ["'content-type' in input", true],
    ["'nothing' in input", true],
    ["'toString' in input", false],
    ["'constructor' in input", false],
    ["1 in {'1': 2}", false],
  ]);
});

describe("logic", () => {
  says("lets the deciding side win, though the other fails", [
    ["true || missing", true],
    ["missing || true", true],
    ["false && missing", false],
    ["missing && false", false],
    ["1 || true", true],
    ["'x' && false", false],
    ["1 / 0 > 1 || true", true],
    ["missing && true && false", false],
    ["missing || 1 || true", true],
    ["(missing && true) || true", true],
    ["!(missing && false)", true],
  ]);
  fails("fails with the first failure when nothing decides: what is missing", "missing", [
    "missing || false",
    "false || missing",
    "missing && true",
    "true && missing",
    "missing || 1",
    "missing && missing.a",
  ]);
  fails("fails with the first failure when nothing decides: what is not boolean", "type", [
    "1 || false",
    "false || 1",
    "true && 'x'",
    "null && true",
    "1 && missing",
  ]);
  says("evaluates one branch of a choice only", [
    ["true ? 1 : missing", 1],
    ["false ? missing : 2", 2],
  ]);
  fails("does not absorb in a condition", "missing", ["missing ? 1 : 2"]);
});
