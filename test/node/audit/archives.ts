/** Archives that no packer makes: written byte by byte, so that a test can lie in any field. */
import { deflateRawSync, gzipSync, crc32 } from "node:zlib";
import { bytesOf } from "./harness.ts";

export interface TarMember {
  readonly name: string;
  readonly body?: Uint8Array | string;
  /** "0" file, "1" hard link, "2" symbolic link, "3" device, "5" directory, "6" pipe. */
  readonly type?: string;
  readonly link?: string;
  /** What the header says, when it is not the truth. */
  readonly size?: number;
  readonly checksum?: number;
}

const BLOCK = 512;

const concat = (parts: readonly Uint8Array[]): Uint8Array => {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
};

function tarHeader({ name, body = "", type = "0", link = "", size, checksum }: TarMember): Uint8Array {
  const header = new Uint8Array(BLOCK);
  const put = (text: string | Uint8Array, at: number): void => {
    header.set(typeof text === "string" ? bytesOf(text) : text, at);
  };
  const octal = (value: number, digits: number): string => value.toString(8).padStart(digits, "0");
  put(bytesOf(name).slice(0, 100), 0);
  put("0000644\0" + "0000000\0" + "0000000\0", 100);
  put(`${octal(size ?? bytesOfBody(body).length, 11)}\0`, 124);
  put("00000000000\0", 136);
  put("        ", 148);
  put(type, 156);
  put(bytesOf(link).slice(0, 100), 157);
  put("ustar\0" + "00", 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  put(`${octal(checksum ?? sum, 6)}\0 `, 148);
  return header;
}

const bytesOfBody = (body: Uint8Array | string): Uint8Array => (typeof body === "string" ? bytesOf(body) : body);

export function tar(members: readonly TarMember[], { end = true } = {}): Uint8Array {
  const parts = members.flatMap((member) => {
    const body = bytesOfBody(member.body ?? "");
    return [tarHeader(member), body, new Uint8Array(-body.length & (BLOCK - 1))];
  });
  return concat(end ? [...parts, new Uint8Array(2 * BLOCK)] : parts);
}

export const tgz = (members: readonly TarMember[], options?: { readonly end: boolean }): Uint8Array =>
  new Uint8Array(gzipSync(tar(members, options)));

/** A tar.gz of one file of zeros, made without holding the zeros. */
export function tarBomb(size: number): Uint8Array {
  const zeros = new Uint8Array(size);
  return new Uint8Array(
    gzipSync(concat([tarHeader({ name: "zeros", size }), zeros, new Uint8Array(2 * BLOCK)]), { level: 9 }),
  );
}

export interface ZipMember {
  readonly name: string;
  readonly body?: Uint8Array | string;
  readonly stored?: boolean;
  /** What both headers say, when it is not the truth. */
  readonly size?: number;
  readonly crc?: number;
  /** The name in the local header, when it differs. */
  readonly localName?: string;
  /** UNIX mode, in the high half of the external attributes. */
  readonly mode?: number;
  readonly encrypted?: boolean;
  readonly method?: number;
  /** Another member's data and header, by its place in the list: several names for the same bytes. */
  readonly same?: number;
}

const u16 = (value: number): number[] => [value & 0xff, (value >>> 8) & 0xff];
const u32 = (value: number): number[] => [...u16(value), ...u16(value >>> 16)];

export function zip(members: readonly ZipMember[]): Uint8Array {
  const locals: Uint8Array[] = [];
  const centrals: Uint8Array[] = [];
  const offsets: number[] = [];
  let at = 0;
  for (const member of members) {
    const { name, body = "", stored = false, localName = name, mode, encrypted = false, same } = member;
    const plain = bytesOfBody(same === undefined ? body : (members[same]?.body ?? ""));
    const data = stored ? plain : new Uint8Array(deflateRawSync(plain, { level: 9 }));
    const common = (of: string): number[] => [
      ...u16(20),
      ...u16((encrypted ? 1 : 0) | 0x800),
      ...u16(member.method ?? (stored ? 0 : 8)),
      ...u32(0),
      ...u32(member.crc ?? crc32(plain)),
      ...u32(data.length),
      ...u32(member.size ?? plain.length),
      ...u16(bytesOf(of).length),
      ...u16(0),
    ];
    const local = concat([new Uint8Array([0x50, 0x4b, 3, 4, ...common(localName)]), bytesOf(localName), data]);
    const offset = same === undefined ? at : (offsets[same] ?? 0);
    offsets.push(offset);
    if (same === undefined) {
      locals.push(local);
      at += local.length;
    }
    const attributes = mode === undefined ? 0 : mode * 0x10000;
    const rest = [...u16(0), ...u16(0), ...u16(0), ...u32(attributes), ...u32(offset)];
    centrals.push(
      concat([
        new Uint8Array([0x50, 0x4b, 1, 2, 20, mode === undefined ? 0 : 3, ...common(name), ...rest]),
        bytesOf(name),
      ]),
    );
  }
  const directory = concat(centrals);
  const end = [
    0x50,
    0x4b,
    5,
    6,
    ...u32(0),
    ...u16(members.length),
    ...u16(members.length),
    ...u32(directory.length),
    ...u32(at),
    ...u16(0),
  ];
  return concat([...locals, directory, new Uint8Array(end)]);
}
