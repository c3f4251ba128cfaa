/**
 * Defects that neither ESLint nor its security plugin looks for, as ESLint selectors: what is matched is
 * reported. A selector sees the shape of code and not where data comes from, so confidence is moderate.
 */
import type { RuleInfo } from "../rule-info.ts";

export interface Pattern extends RuleInfo {
  readonly selector: string;
  readonly message: string;
}

/** Anything but a text that is written down. */
const computed = (field: string): string =>
  `[${field}.type!="Literal"]:not([${field}.type="TemplateLiteral"][${field}.expressions.length=0])`;
const method = (names: string): string =>
  `CallExpression[callee.type="MemberExpression"][callee.property.name=/^(?:${names})$/]`;
const SQL = String.raw`^\s*(?:select\s.+\sfrom|insert\s+into|update\s.+\sset|delete\s+from)\b`;

export const PATTERNS: Readonly<Record<string, Pattern>> = {
  "html-injection": {
    selector: [
      `AssignmentExpression[left.type="MemberExpression"][left.property.name=/^(?:inner|outer)HTML$/]${computed("right")}`,
      `${method("insertAdjacentHTML")}${computed("arguments.1")}`,
      `${method("write|writeln")}[callee.object.name="document"]${computed("arguments.0")}`,
      'JSXAttribute[name.name="dangerouslySetInnerHTML"]',
    ].join(", "),
    message: "A computed value is put into the page as HTML.",
    title: "HTML is made of a computed value",
    severity: "medium",
    confidence: "medium",
    cwe: "CWE-79",
    help: "Set textContent, use a template that escapes, or sanitise the value.",
  },
  "sql-injection": {
    selector: [
      `${method("query|execute|exec|raw|all|get|run|prepare")} > TemplateLiteral[expressions.length>0][quasis.0.value.raw=/${SQL}/i]`,
      `${method("query|execute|exec|raw|all|get|run|prepare")} > BinaryExpression[operator="+"] Literal[value=/${SQL}/i]`,
    ].join(", "),
    message: "A value is written into the text of an SQL statement.",
    title: "An SQL statement is made of a computed value",
    severity: "high",
    confidence: "medium",
    cwe: "CWE-89",
    help: "Pass the value as a parameter of the statement.",
  },
  "tls-unverified": {
    selector: [
      'Property[key.name="rejectUnauthorized"][value.value=false]',
      'AssignmentExpression[left.property.name="rejectUnauthorized"][right.value=false]',
      'AssignmentExpression[left.property.name="NODE_TLS_REJECT_UNAUTHORIZED"]',
    ].join(", "),
    message: "Certificates of the other side are not checked.",
    title: "TLS certificates are not verified",
    severity: "high",
    confidence: "high",
    cwe: "CWE-295",
    help: "Verify certificates; add a private authority with the ca option.",
  },
  "weak-hash": {
    selector: `${method("createHash|createHmac")}[arguments.0.value=/^(?:md4|md5|sha1|sha-1|ripemd160)$/i]`,
    message: "The digest is of a broken algorithm.",
    title: "A broken hash function",
    severity: "low",
    confidence: "medium",
    cwe: "CWE-328",
    help: "Use SHA-256 or better; for passwords scrypt or Argon2. Fine for checksums that nobody attacks.",
  },
  "weak-cipher": {
    selector: [
      method("createCipher|createDecipher"),
      `${method("createCipheriv|createDecipheriv")}[arguments.0.value=/^(?:des|rc2|rc4|bf|seed|.*-ecb$)/i]`,
    ].join(", "),
    message: "The cipher, its mode or its key derivation is broken.",
    title: "A broken cipher",
    severity: "high",
    confidence: "high",
    cwe: "CWE-327",
    help: "Use AES-256-GCM with a fresh nonce and a key from scrypt or a key store.",
  },
  "unsafe-deserialization": {
    selector: `${method("unserialize")}, CallExpression[callee.name="unserialize"]`,
    message: "Data can become code when it is read like this.",
    title: "Unsafe deserialisation",
    severity: "high",
    confidence: "medium",
    cwe: "CWE-502",
    help: "Use JSON.",
  },
  "unsigned-token": {
    selector: 'Property[key.name=/^(?:algorithm|algorithms)$/] Literal[value="none"]',
    message: 'The algorithm "none" accepts tokens that nobody signed.',
    title: "Unsigned tokens are accepted",
    severity: "high",
    confidence: "high",
    cwe: "CWE-347",
    help: "Name the one algorithm that you sign with.",
  },
  "post-message-anywhere": {
    selector: `${method("postMessage")}[arguments.1.value="*"]`,
    message: "Whatever page is in that window now can read the message.",
    title: "A message is posted to any origin",
    severity: "low",
    confidence: "medium",
    cwe: "CWE-346",
    help: "Name the origin.",
  },
  "shell-option": {
    selector: `CallExpression[callee.property.name=/^(?:spawn|spawnSync|execFile|execFileSync)$/] Property[key.name="shell"][value.value=true], CallExpression[callee.name=/^(?:spawn|spawnSync|execFile|execFileSync)$/] Property[key.name="shell"][value.value=true]`,
    message: "The arguments are read by a shell.",
    title: "A process is started through a shell",
    severity: "medium",
    confidence: "medium",
    cwe: "CWE-78",
    help: "Leave the shell option out.",
  },
};
