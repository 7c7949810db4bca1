import type { Bytes } from "../../lib/protocol/mod.ts";
import { concat, utf8 } from "../../lib/protocol/mod.ts";
import { CommandError, UsageError } from "../errors.ts";
import type { Io } from "../io.ts";

/** What is asked of a web server. */
export interface FetchRequest {
  readonly url: URL;
  readonly method: string;
  readonly headers: Headers;
  readonly body: Bytes | undefined;
}

/** Sent unless the person says otherwise: as little as can be, and the same from everybody. */
const DEFAULT_HEADERS: Readonly<Record<string, string>> = {
  "accept": "*/*",
  // What is fetched is what lies there, byte for byte, so that the rest can be asked for later.
  "accept-encoding": "identity",
  "user-agent": "sotto",
};

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
): Promise<FetchRequest> {
  const url = urlOf(text);
  const headers = headersOf(flags.header);
  const body = flags.data === undefined
    ? undefined
    : await dataOf(io, flags.data);
  const method = methodOf(flags.method, body !== undefined);
  if (body !== undefined && (method === "GET" || method === "HEAD")) {
    throw new UsageError(`--data does not go with ${method}`);
  }
  if (body !== undefined && !headers.has("content-type")) {
    headers.set("content-type", FORM);
  }
  return { url, method, headers, body };
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

function headersOf(lines: readonly string[]): Headers {
  const headers = new Headers(DEFAULT_HEADERS);
  const seen = new Set<string>();
  for (const line of lines) {
    const [, name = "", value = ""] = /^([^:]+):(.*)$/s.exec(line) ?? [];
    try {
      // The first of a name takes the place of ours; more of it are added.
      if (seen.has(name.toLowerCase())) headers.append(name, value);
      else headers.set(name, value);
    } catch {
      throw new UsageError(`not a header field: ${line}`, {
        hint: "--header 'Name: value'",
      });
    }
    seen.add(name.toLowerCase());
  }
  return headers;
}

function methodOf(text: string | undefined, hasBody: boolean): string {
  const method = text ?? (hasBody ? "POST" : "GET");
  // CONNECT and TRACE make no sense here, and the platform refuses them.
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
