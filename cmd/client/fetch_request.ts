import type { Field, WebRequest } from "../../lib/onion/mod.ts";
import type { Bytes } from "../../lib/protocol/mod.ts";
import { concat, utf8 } from "../../lib/protocol/mod.ts";
import { CommandError, UsageError } from "../errors.ts";
import type { Io } from "../io.ts";

/** Sent unless the person says otherwise: as little as can be, and the same from everybody. */
const DEFAULTS: readonly Field[] = [
  ["User-Agent", "sotto"],
  ["Accept", "*/*"],
  // What is fetched is what lies there, byte for byte, so that the rest can be asked for later.
  ["Accept-Encoding", "identity"],
];
/** Said by us, or two readers could find different ends of a message. */
const OURS: ReadonlySet<string> = new Set([
  "connection",
  "content-length",
  "transfer-encoding",
]);

const FORM = "application/x-www-form-urlencoded";

/**
 * Reads the request from the command line.
 *
 * @throws {UsageError} if it is none.
 * @throws {CommandError} if the file with its body cannot be read.
 */
export async function fetchRequest(
  io: Io,
  text: string,
  flags: {
    readonly header: readonly string[];
    readonly method: string | undefined;
    readonly data: string | undefined;
  },
): Promise<WebRequest> {
  const url = urlOf(text);
  const fields = fieldsOf(flags.header);
  const body = flags.data === undefined
    ? undefined
    : await dataOf(io, flags.data);
  const method = methodOf(flags.method, body !== undefined);
  if (body !== undefined && (method === "GET" || method === "HEAD")) {
    throw new UsageError(`--data does not go with ${method}`);
  }
  const isTyped = fields.some(([name]) =>
    name.toLowerCase() === "content-type"
  );
  if (body !== undefined && !isTyped) fields.push(["Content-Type", FORM]);
  return { url, method, fields, body };
}

function urlOf(text: string): URL {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new UsageError(`not a web address: ${text}`, {
      hint: 'it begins with http:// or https://, as in "https://example.org/"',
    });
  }
  url.hash = "";
  return url;
}

/** Those of the person; and ours, where there is none of that name. */
function fieldsOf(lines: readonly string[]): Field[] {
  const given = lines.map((line): Field => {
    const parts = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):([\t\x20-\x7e\x80-\xff]*)$/
      .exec(line);
    if (parts === null) {
      throw new UsageError(`not a header field: ${line}`, {
        hint: "--header 'Name: value'",
      });
    }
    const [, name = "", value = ""] = parts;
    if (OURS.has(name.toLowerCase())) {
      throw new UsageError(`--header cannot be ${name}`);
    }
    return [name, value.trim()];
  });
  const names = new Set(given.map(([name]) => name.toLowerCase()));
  return [
    ...DEFAULTS.filter(([name]) => !names.has(name.toLowerCase())),
    ...given,
  ];
}

function methodOf(text: string | undefined, hasBody: boolean): string {
  const method = text ?? (hasBody ? "POST" : "GET");
  // CONNECT and TRACE are between a client and its proxy.
  if (!/^[A-Z]{1,20}$/.test(method) || /^(CONNECT|TRACE|TRACK)$/.test(method)) {
    throw new UsageError(`--method cannot be ${method}`, {
      hint: "GET, HEAD, POST, PUT, PATCH, DELETE or OPTIONS",
    });
  }
  return method;
}

/** As curl has it: `@FILE` is what is in the file, `@-` standard input, anything else itself. */
async function dataOf(io: Io, text: string): Promise<Bytes> {
  if (!text.startsWith("@")) return utf8(text);
  const path = text.slice(1);
  try {
    return path === "-" ? await readAll(io) : await Deno.readFile(path);
  } catch (cause) {
    throw new CommandError(`Cannot read ${path}`, { cause });
  }
}

async function readAll({ stdin }: Io): Promise<Bytes> {
  const parts: Bytes[] = [];
  for (let part; (part = await stdin.read()) !== null;) parts.push(part);
  return concat(...parts);
}
