/**
 * A destination: `destination.ts ADDRESS FILE [PORT CERTIFICATE KEY]` serves HTTP at ADDRESS (HOST:PORT), and
 * HTTPS at PORT if it has a certificate. It says "listening on ADDRESS", and then for every
 * request a line of JSON: method, path, and the address from which it came.
 *
 *     GET /file            FILE, also in ranges, with ?rate=N at N bytes a second
 *     POST /sum            SHA-256 of what is sent
 *     POST /form           SHA-256 of the file that a form sends in the field "file"
 *     GET /page            a page with a picture, a script and such a form
 *     GET /endless         bytes without an end
 *
 * @module
 */
// deno-lint-ignore-file no-console -- its output is for the test that started it
import { createHash } from "node:crypto";

/** A word of the page that a capture can be searched for. */
export const MARKER = "a-word-that-only-the-page-holds";

const PIXEL =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGNgYPhfDwAChAGA" +
  "60e6kgAAAABJRU5ErkJggg==";

const PAGE = `<!DOCTYPE html><title>${MARKER}</title>
<img id="picture" src="/picture"><p id="said"></p>
<form method="post" action="/form" enctype="multipart/form-data">
<input type="file" name="file" id="file"><button id="send">send</button></form>
<a id="download" href="/file" download="file.bin">download</a>
<script src="/script"></script>`;

const SCRIPT =
  `document.getElementById("said").textContent = "the script ran";`;

const CHUNK_BYTES = 16_384;

if (import.meta.main) await main(Deno.args);

async function main(
  [address = "", path = "", securePort, certificate, key]: readonly string[],
): Promise<void> {
  const [hostname = "", port = ""] = address.split(":");
  const file = await Deno.readFile(path);
  const handler = (
    request: Request,
    { remoteAddr }: Deno.ServeHandlerInfo<Deno.NetAddr>,
  ) => {
    const { pathname } = new URL(request.url);
    const from = remoteAddr.hostname;
    console.log(JSON.stringify({ method: request.method, pathname, from }));
    return answer(request, file);
  };
  const silent = { hostname, onListen() {} };
  const servers = [Deno.serve({ ...silent, port: Number(port) }, handler)];
  if (certificate !== undefined && key !== undefined) {
    const pair = {
      cert: await Deno.readTextFile(certificate),
      key: await Deno.readTextFile(key),
    };
    const above = { ...silent, ...pair, port: Number(securePort) };
    servers.push(Deno.serve(above, handler));
  }
  console.log(`listening on ${address}`);
  await Promise.all(servers.map(({ finished }) => finished));
}

async function answer(
  request: Request,
  file: Uint8Array<ArrayBuffer>,
): Promise<Response> {
  const { pathname, searchParams } = new URL(request.url);
  switch (`${request.method} ${pathname}`) {
    case "GET /file":
      return fileAnswer(request, file, Number(searchParams.get("rate")));
    case "POST /sum":
      return new Response(await sumOf(request.body));
    case "POST /form": {
      const sent = (await request.formData()).get("file") as File;
      return html(`<p id="sum">${await sumOf(sent.stream())}</p>`);
    }
    case "GET /page":
      return html(PAGE);
    case "GET /picture":
      return new Response(Uint8Array.fromBase64(PIXEL), {
        headers: { "content-type": "image/png" },
      });
    case "GET /script":
      return new Response(SCRIPT, {
        headers: { "content-type": "text/javascript" },
      });
    case "GET /endless":
      return new Response(paced(file, 0, true));
    default:
      return new Response("not here", { status: 404 });
  }
}

function html(text: string): Response {
  return new Response(text, { headers: { "content-type": "text/html" } });
}

/** The file, or the range that is asked for. */
function fileAnswer(
  request: Request,
  file: Uint8Array<ArrayBuffer>,
  rate: number,
): Response {
  const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.get("range") ?? "");
  const first = Number(range?.[1] ?? 0);
  const end = range?.[2] ? Number(range[2]) + 1 : file.length;
  const part = file.subarray(first, end);
  return new Response(paced(part, rate, false), {
    status: range === null ? 200 : 206,
    headers: {
      "content-type": "application/octet-stream",
      "content-length": String(part.length),
      "accept-ranges": "bytes",
      etag: '"the-file"',
      ...range === null
        ? {}
        : { "content-range": `bytes ${first}-${end - 1}/${file.length}` },
    },
  });
}

/** `bytes` at `rate` a second, 0 for as fast as they are taken; again and again if `endless`. */
function paced(
  bytes: Uint8Array<ArrayBuffer>,
  rate: number,
  endless: boolean,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  const begun = performance.now();
  let at = 0;
  return new ReadableStream({
    async pull(controller) {
      if (rate > 0) {
        const ahead = at / rate * 1_000 - (performance.now() - begun);
        if (ahead > 0) await new Promise((done) => setTimeout(done, ahead));
      }
      if (at >= bytes.length && !endless) return controller.close();
      const from = at % bytes.length;
      const part = bytes.slice(from, from + CHUNK_BYTES);
      at += part.length;
      controller.enqueue(part);
    },
  }, { highWaterMark: 0 });
}

async function sumOf(
  body: ReadableStream<Uint8Array> | null,
): Promise<string> {
  const hash = createHash("sha256");
  for await (const part of body ?? []) hash.update(part);
  return hash.digest("hex");
}
