import type { Bytes } from "../../protocol/mod.ts";
import { MalformedError } from "../../protocol/mod.ts";
import { latin1 } from "./credentials.ts";
import type { Field } from "./fields.ts";
import { Fields } from "./fields.ts";
import type { Parsed } from "./parsed.ts";

/** Longest head of a request or response, in bytes. */
export const HEAD_LIMIT = 65_536;

/** The first line and the header fields of a request (RFC 9112 §3). */
export interface RequestHead {
  /** As written; methods are case-sensitive. */
  readonly method: string;
  /** As written, each byte a character. */
  readonly target: string;
  /** 0 for HTTP/1.0, 1 for HTTP/1.1. */
  readonly minor: number;
  /** The header. */
  readonly fields: Fields;
}

/** The first line and the header fields of a response (RFC 9112 §4). */
export interface ResponseHead {
  /** 100 to 999. */
  readonly status: number;
  /** As written; may be empty. */
  readonly reason: string;
  /** 0 for HTTP/1.0, 1 for HTTP/1.1. */
  readonly minor: number;
  /** The header. */
  readonly fields: Fields;
}

/** The version of HTTP is none that is spoken here; a client can be told (505). */
export class HttpVersionError extends MalformedError {}

const CARRIAGE_RETURN = 0x0d;
const LINE_FEED = 0x0a;
const TOKEN = "[!#$%&'*+\\-.^_`|~0-9A-Za-z]+";
const REQUEST_LINE = new RegExp(
  `^(${TOKEN}) ([\\x21-\\x7e\\x80-\\xff]+) HTTP/([0-9])\\.([0-9])$`,
);
const STATUS_LINE =
  /^HTTP\/([0-9])\.([0-9]) ([1-9][0-9]{2})(?: ([\t\x20-\x7e\x80-\xff]*))?$/;
const FIELD_LINE = new RegExp(
  `^(${TOKEN}):[\\t ]*([\\t\\x20-\\x7e\\x80-\\xff]*)$`,
);

/** A parser for one request head. It remembers how far it has looked, so each byte is looked at once. */
export function requestHeadParser(): (
  bytes: Uint8Array,
) => Parsed<RequestHead> | undefined {
  return headParser(parseRequestHead);
}

/** A parser for one response head. */
export function responseHeadParser(): (
  bytes: Uint8Array,
) => Parsed<ResponseHead> | undefined {
  return headParser(parseResponseHead);
}

/** The bytes of a request head. */
export function formatRequestHead(head: RequestHead): Bytes {
  const { method, target, minor, fields } = head;
  return formatHead(`${method} ${target} HTTP/1.${minor}`, fields);
}

/** The bytes of a response head; always of HTTP/1.1. */
export function formatResponseHead(head: ResponseHead): Bytes {
  return formatHead(`HTTP/1.1 ${head.status} ${head.reason}`, head.fields);
}

function formatHead(first: string, { list }: Fields): Bytes {
  const lines = list.map(([name, value]) => `${name}: ${value}\r\n`);
  const text = `${first}\r\n${lines.join("")}\r\n`;
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

function headParser<T>(
  parse: (lines: string[]) => T,
): (bytes: Uint8Array) => Parsed<T> | undefined {
  let looked = 0;
  return (bytes) => {
    for (;;) {
      const at = bytes.indexOf(LINE_FEED, looked);
      if (at < 0) {
        looked = bytes.length;
        return undefined;
      }
      looked = at + 1;
      if (at < 2 || bytes[at - 1] !== CARRIAGE_RETURN) {
        throw new MalformedError("Cannot read an HTTP head: how a line ends");
      }
      if (bytes[at - 2] !== LINE_FEED) continue;
      // An empty line: the end.
      const text = latin1(bytes.subarray(0, at - 3));
      const value = parse(text.split("\r\n"));
      return { value, length: at + 1 };
    }
  };
}

function parseRequestHead([first = "", ...lines]: string[]): RequestHead {
  const parts = REQUEST_LINE.exec(first);
  if (parts === null) {
    throw new MalformedError("Cannot read an HTTP request: its first line");
  }
  const [, method = "", target = "", major = "", minor = ""] = parts;
  const version = checkedMinor(major, minor);
  return { method, target, minor: version, fields: parseFields(lines) };
}

function parseResponseHead([first = "", ...lines]: string[]): ResponseHead {
  const parts = STATUS_LINE.exec(first);
  if (parts === null) {
    throw new MalformedError("Cannot read an HTTP response: its first line");
  }
  const [, major = "", minor = "", status = "", reason = ""] = parts;
  return {
    status: Number(status),
    reason,
    minor: checkedMinor(major, minor),
    fields: parseFields(lines),
  };
}

/** A line that begins with a blank, or has one before its colon, is no field (RFC 9112 §5.1, §5.2). */
function parseFields(lines: string[]): Fields {
  return new Fields(lines.map((line): Field => {
    const parts = FIELD_LINE.exec(line);
    if (parts === null) {
      throw new MalformedError("Cannot read an HTTP head: a field");
    }
    return [parts[1]!, parts[2]!.replace(/[\t ]+$/, "")];
  }));
}

function checkedMinor(major: string, minor: string): number {
  if (major !== "1") {
    throw new HttpVersionError("Cannot read HTTP: it is of another version");
  }
  return minor === "0" ? 0 : 1;
}
