/**
 * Well-known advisories about npm packages, for use without a network. They are facts of the GitHub Advisory
 * Database (ids, packages, ranges, severities), with summaries of our own. It is an extract: that a package is
 * not listed says nothing. A host that has newer data passes it to the agent as OSV JSON.
 */
import type { Advisory } from "./osv.ts";

/** What the report says of the table: `date` is when the newest of its advisories was published. */
export const TABLE_SOURCE = "Troupe's offline extract of the GitHub Advisory Database";
export const TABLE_DATE = "2024-11-08";

/** GHSA | CVE | package | severity | CWE | introduced..fixed or introduced..=last affected, … | summary */
const ROWS = `
GHSA-jf85-cpcp-j695 | CVE-2019-10744 | lodash | critical | CWE-1321 | 0..4.17.12 | defaultsDeep lets data change Object.prototype
GHSA-35jh-r3h4-6jhm | CVE-2021-23337 | lodash | high | CWE-94 | 0..4.17.21 | template runs code given in its options
GHSA-p6mc-m468-83gw | CVE-2020-8203 | lodash | high | CWE-1321 | 3.7.0..4.17.19 | zipObjectDeep lets data change Object.prototype
GHSA-4xc9-xhrj-v574 | CVE-2018-16487 | lodash | high | CWE-1321 | 0..4.17.11 | merge and its kin let data change Object.prototype
GHSA-29mw-wpgm-hmr9 | CVE-2020-28500 | lodash | medium | CWE-1333 | 4.0.0..4.17.21 | trimming and number parsing take long on crafted text
GHSA-xvch-5gv4-984h | CVE-2021-44906 | minimist | critical | CWE-1321 | 0..0.2.4, 1.0.0..1.2.6 | arguments can change Object.prototype
GHSA-vh95-rmgr-6w4m | CVE-2020-7598 | minimist | medium | CWE-1321 | 0..0.2.1, 1.0.0..1.2.3 | arguments can change Object.prototype
GHSA-hrpp-h998-j3pp | CVE-2022-24999 | qs | high | CWE-1321 | 0..6.2.4, 6.3.0..6.3.3, 6.4.0..6.4.1, 6.5.0..6.5.3, 6.6.0..6.6.1, 6.7.0..6.7.3, 6.8.0..6.8.3, 6.9.0..6.9.7, 6.10.0..6.10.3 | a query string with __proto__ hangs the process
GHSA-rv95-896h-c2vc | CVE-2024-29041 | express | medium | CWE-601 | 0..4.19.2, 5.0.0-alpha.1..5.0.0-beta.3 | malformed URLs get past allow lists of redirects
GHSA-qw6h-vgh9-j6wx | CVE-2024-43796 | express | low | CWE-79 | 0..4.20.0, 5.0.0-alpha.1..5.0.0 | res.redirect can show script from untrusted input
GHSA-qwcr-r2fm-qrc7 | CVE-2024-45590 | body-parser | high | CWE-405 | 0..1.20.3 | crafted url-encoded bodies exhaust the server
GHSA-9wv6-86v2-598j | CVE-2024-45296 | path-to-regexp | high | CWE-1333 | 0..0.1.10, 0.2.0..1.9.0, 2.0.0..3.3.0, 4.0.0..6.3.0, 7.0.0..8.0.0 | some routes become regular expressions of exponential time
GHSA-m6fv-jmcg-4jfg | CVE-2024-43799 | send | low | CWE-79 | 0..0.19.0 | a redirect can show script from untrusted input
GHSA-cm22-4g7w-348p | CVE-2024-43800 | serve-static | low | CWE-79 | 0..1.16.0, 2.0.0..2.1.0 | a redirect can show script from untrusted input
GHSA-pxg6-pf52-xh8x | CVE-2024-47764 | cookie | low | CWE-74 | 0..0.7.0 | names, paths and domains of cookies are not checked
GHSA-3h5v-q93c-6h6q | CVE-2024-37890 | ws | high | CWE-476 | 2.1.0..5.2.4, 6.0.0..6.2.3, 7.0.0..7.5.10, 8.0.0..8.17.1 | a request with many headers crashes the server
GHSA-6fc8-4gx4-v693 | CVE-2021-32640 | ws | medium | CWE-400 | 5.0.0..5.2.3, 6.0.0..6.2.2, 7.0.0..7.4.6 | a crafted Sec-WebSocket-Protocol header slows the server down
GHSA-6663-c963-2gqg | CVE-2016-10542 | ws | high | CWE-400 | 0..1.1.1 | one very large message ends the process
GHSA-5v72-xg48-5rpm | | ws | high | CWE-400 | 0.2.6..1.1.5, 2.0.0..3.3.1 | a crafted Sec-WebSocket-Extensions header ends the process
GHSA-cph5-m8f7-6c5x | CVE-2021-3749 | axios | high | CWE-1333 | 0..0.21.2 | trimming a crafted header value takes exponential time
GHSA-4w2v-q235-vp99 | CVE-2020-28168 | axios | medium | CWE-918 | 0..0.21.1 | a redirect can lead around the proxy
GHSA-wf5p-g6vw-rhxx | CVE-2023-45857 | axios | medium | CWE-352 | 0.8.1..0.28.0, 1.0.0..1.6.0 | the XSRF token is sent to other hosts
GHSA-r683-j2x4-v87g | CVE-2022-0235 | node-fetch | high | CWE-601 | 0..2.6.7, 3.0.0..3.1.1 | credentials follow a redirect to another host
GHSA-r628-mhmh-qjhw | CVE-2021-32803 | tar | high | CWE-59 | 0..3.2.3, 4.0.0..4.4.15, 5.0.0..5.0.7, 6.0.0..6.1.2 | a link that replaces a folder lets files be written anywhere
GHSA-3jfq-g458-7qm9 | CVE-2021-32804 | tar | high | CWE-22 | 0..3.2.2, 4.0.0..4.4.14, 5.0.0..5.0.6, 6.0.0..6.1.1 | absolute paths are not made relative
GHSA-f5x3-32g6-xq36 | CVE-2024-28863 | tar | medium | CWE-400 | 0..6.2.1 | deeply nested folders exhaust the process
GHSA-c2qf-rxjj-qqgw | CVE-2022-25883 | semver | medium | CWE-1333 | 0..5.7.2, 6.0.0..6.3.1, 7.0.0..7.5.2 | a crafted range takes exponential time
GHSA-9c47-m6qq-7p4h | CVE-2022-46175 | json5 | high | CWE-1321 | 0..1.0.2, 2.0.0..2.2.2 | __proto__ keys set the prototype of the result
GHSA-pjwm-rvh2-c87w | | ua-parser-js | critical | CWE-506 | 0.7.29..0.7.30, 0.8.0..0.8.1, 1.0.0..1.0.1 | published by an attacker, with malware
GHSA-mh6f-8j2x-4483 | | event-stream | critical | CWE-506 | 3.3.6..4.0.0 | depends on malware that steals from wallets
GHSA-76p3-8jx3-jpfq | CVE-2022-37601 | loader-utils | critical | CWE-1321 | 0..1.4.1, 2.0.0..2.0.3 | parseQuery lets data change Object.prototype
GHSA-74fj-2j2h-c42q | CVE-2022-0155 | follow-redirects | high | CWE-359 | 0..1.14.7 | cookies follow a redirect to another host
GHSA-jchw-25xp-jwwc | CVE-2023-26159 | follow-redirects | medium | CWE-601 | 0..1.15.4 | a crafted host name leads to another host
GHSA-cxjh-pqwp-8mfp | CVE-2024-28849 | follow-redirects | medium | CWE-200 | 0..1.15.6 | proxy credentials follow a redirect to another host
GHSA-c7hr-j4mj-j2w6 | CVE-2015-9235 | jsonwebtoken | critical | CWE-327 | 0..4.2.2 | the token itself chooses how it is verified
GHSA-qwph-4952-7xr6 | CVE-2022-23540 | jsonwebtoken | medium | CWE-347 | 0..9.0.0 | without named algorithms unsigned tokens can pass
GHSA-8hfj-j24r-96c4 | CVE-2022-24785 | moment | high | CWE-22 | 1.0.1..2.29.2 | a locale's name can load a file from elsewhere
GHSA-wc69-rhjr-hc9g | CVE-2022-31129 | moment | high | CWE-1333 | 2.18.0..2.29.4 | parsing a long text takes quadratic time
GHSA-f2jv-r9rf-7988 | CVE-2021-23369 | handlebars | critical | CWE-94 | 0..4.7.7 | a template runs code when compiled with certain options
GHSA-765h-qjxv-5f44 | CVE-2021-23383 | handlebars | critical | CWE-1321 | 0..4.7.7 | a template changes Object.prototype when compiled with certain options
GHSA-w457-6q6x-cgp9 | CVE-2019-19919 | handlebars | critical | CWE-1321 | 0..3.0.8, 4.0.0..4.3.0 | a template changes Object.prototype and runs code
GHSA-phwq-j96m-2c2q | CVE-2022-29078 | ejs | critical | CWE-74 | 0..3.1.7 | options given as data run code
GHSA-ghr5-ch3p-vcr6 | CVE-2024-33883 | ejs | medium | CWE-693 | 0..3.1.10 | lacks protection against a changed Object.prototype
GHSA-rrrm-qjm4-v8hf | CVE-2022-21680 | marked | high | CWE-1333 | 0..4.0.10 | a crafted definition takes exponential time
GHSA-5v2h-r2cx-5xgj | CVE-2022-21681 | marked | high | CWE-1333 | 0..4.0.10 | a crafted reference takes exponential time
GHSA-hxcc-f52p-wc94 | CVE-2020-7660 | serialize-javascript | high | CWE-94 | 0..3.1.0 | crafted data becomes code when it is read back
GHSA-93q8-gq69-wqmw | CVE-2021-3807 | ansi-regex | high | CWE-1333 | 3.0.0..3.0.1, 4.0.0..4.1.1, 5.0.0..5.0.1, 6.0.0..6.0.1 | crafted escape sequences take exponential time
GHSA-ww39-953v-wcq6 | CVE-2020-28469 | glob-parent | high | CWE-1333 | 0..5.1.2 | a crafted pattern takes exponential time
GHSA-hj48-42vr-x3v9 | CVE-2021-23343 | path-parse | medium | CWE-1333 | 0..1.0.7 | a crafted path takes long to parse
GHSA-43f8-2h32-f4cj | CVE-2021-23362 | hosted-git-info | medium | CWE-1333 | 0..2.8.9, 3.0.0..3.0.8 | a crafted repository name takes long to parse
GHSA-c4w7-xm78-47vh | CVE-2020-7774 | y18n | high | CWE-1321 | 0..3.2.2, 4.0.0..4.0.1, 5.0.0..5.0.5 | a locale's name can change Object.prototype
GHSA-qqgx-2p2h-9c37 | CVE-2020-7788 | ini | high | CWE-1321 | 0..1.3.6 | a section's name can change Object.prototype
GHSA-7p7h-4mm5-852v | CVE-2021-33623 | trim-newlines | high | CWE-1333 | 0..3.0.1, 4.0.0..4.0.1 | many newlines take long to trim
GHSA-7fh5-64p2-3v2j | CVE-2023-44270 | postcss | medium | CWE-74 | 0..8.4.31 | a carriage return makes comments into rules
GHSA-rp65-9cf3-cjxr | CVE-2021-3803 | nth-check | high | CWE-1333 | 0..2.0.1 | a crafted formula takes exponential time
GHSA-j8xg-fqg3-53r7 | CVE-2023-26115 | word-wrap | medium | CWE-1333 | 0..1.2.4 | a crafted text takes long to wrap
GHSA-grv7-fg5c-xmjg | CVE-2024-4068 | braces | high | CWE-1050 | 0..3.0.3 | unbalanced braces exhaust memory
GHSA-952p-6rrq-rcjv | CVE-2024-4067 | micromatch | medium | CWE-1333 | 0..4.0.8 | a crafted pattern takes long to match
GHSA-3xgq-45jj-v275 | CVE-2024-21538 | cross-spawn | high | CWE-1333 | 0..6.0.6, 7.0.0..7.0.5 | a crafted argument takes exponential time
GHSA-cchq-frgv-rjh5 | CVE-2023-37466 | vm2 | critical | CWE-94 | 0..=3.9.19 | code escapes from the sandbox
GHSA-cf4h-3jhx-xvhq | CVE-2021-23358 | underscore | critical | CWE-94 | 1.3.2..1.12.1 | template runs code given in its settings
GHSA-f8q6-p94x-37v3 | CVE-2022-3517 | minimatch | high | CWE-1333 | 0..3.0.5 | a crafted pattern takes exponential time
GHSA-w573-4hg7-7wgq | CVE-2022-38900 | decode-uri-component | high | CWE-20 | 0..0.2.1 | crafted input throws where nobody expects it
GHSA-g4rg-993r-mgx7 | CVE-2021-42740 | shell-quote | critical | CWE-77 | 1.6.3..1.7.3 | quoting leaves a way to run commands
GHSA-72xf-g2v4-qvf3 | CVE-2023-26136 | tough-cookie | medium | CWE-1321 | 0..4.1.3 | a cookie can change Object.prototype
GHSA-p8p7-x288-28g6 | CVE-2023-28155 | request | medium | CWE-918 | 0..=2.88.2 | a redirect gets past guards against internal addresses; the package is deprecated
GHSA-gxpj-cx7g-858c | CVE-2017-16137 | debug | medium | CWE-1333 | 0..2.6.9, 3.0.0..3.1.0, 3.2.0..3.2.7, 4.0.0..4.3.1 | the %o formatter takes long on crafted text
GHSA-qh2h-chj9-jffq | CVE-2017-16042 | growl | critical | CWE-78 | 0..1.10.0 | a message can run commands
GHSA-fwr7-v2mv-hh25 | CVE-2021-43138 | async | high | CWE-1321 | 2.0.0..2.6.4, 3.0.0..3.2.2 | mapValues lets data change Object.prototype
GHSA-6x33-pw7p-hmpq | | http-proxy | high | CWE-400 | 0..1.18.1 | a long request body ends the process
GHSA-33f9-j839-rf8h | CVE-2021-23436 | immer | critical | CWE-1321 | 7.0.0..9.0.6 | crafted patches change Object.prototype
GHSA-gxr4-xjj5-5px2 | CVE-2020-11022 | jquery | medium | CWE-79 | 1.2.0..3.5.0 | cleaned HTML can still run script
GHSA-6c3j-c64m-qhgq | CVE-2019-11358 | jquery | medium | CWE-1321 | 1.1.4..3.4.0 | extend lets data change Object.prototype
`;

/** The table as OSV. */
export const ADVISORY_TABLE: readonly Advisory[] = ROWS.trim()
  .split("\n")
  .map((row) => {
    const [id = "", cve = "", name = "", severity = "", cwe = "", ranges = "", summary = ""] = row
      .split("|")
      .map((cell) => cell.trim());
    return {
      id,
      aliases: cve === "" ? [] : [cve],
      summary,
      affected: [
        {
          package: { ecosystem: "npm", name },
          ranges: [{ type: "SEMVER", events: ranges.split(",").flatMap(eventsOf) }],
          versions: [],
        },
      ],
      database_specific: { severity, cwe_ids: [cwe] },
    };
  });

function eventsOf(range: string) {
  const [introduced = "0", end = ""] = range.trim().split("..");
  return [{ introduced }, end.startsWith("=") ? { last_affected: end.slice(1) } : { fixed: end }];
}
