import { assert, assertEquals, assertMatch } from "@std/assert";
import type { Bytes } from "../../../lib/protocol/mod.ts";
import type { FrontServer } from "./front_server.ts";
import { withFront, withWeb } from "./front_server.ts";

// curl is the client that decides whether this is SOCKS and HTTP.

const BIG = 3_000_000;

/** Without curl on this machine these tests are ignored. */
const ignore = !await (async () => {
  try {
    return (await new Deno.Command("curl", { args: ["--version"] }).output())
      .success;
  } catch {
    return false;
  }
})();

/** Runs curl, which must succeed, and gives what it wrote. */
async function curl(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await tryCurl(...args);
  assertEquals(code, 0, stderr);
  return stdout;
}

async function tryCurl(
  ...args: string[]
): Promise<{ code: number; stdout: string; stderr: string }> {
  const { code, stdout, stderr } = await new Deno.Command("curl", {
    args: ["--silent", "--show-error", "--max-time", "20", ...args],
    env: { HOME: "/nonexistent" },
    clearEnv: true,
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: text(stdout), stderr: text(stderr) };
}

/** The ways in which curl uses a proxy; the host is named so that only the front's opener can know it. */
const WAYS: readonly (readonly [string, (at: string) => string[]])[] = [
  ["--socks5-hostname", (at) => ["--socks5-hostname", at]],
  ["--socks4a", (at) => ["--socks4a", at]],
  ["--proxy", (at) => ["--proxy", `http://${at}`]],
  ["--proxytunnel", (at) => ["--proxytunnel", "--proxy", `http://${at}`]],
];

function pattern(length: number): Bytes {
  return Uint8Array.from({ length }, (_, i) => i * 7 + (i >> 8));
}

async function answer(request: Request): Promise<Response> {
  const { pathname } = new URL(request.url);
  const body = new Uint8Array(await request.arrayBuffer());
  if (pathname === "/big") return new Response(pattern(BIG));
  if (pathname === "/stream") {
    return new Response(new Blob([pattern(BIG)]).stream());
  }
  if (pathname === "/empty") return new Response(null, { status: 204 });
  if (pathname === "/sum") return new Response(`${await sha256(body)}\n`);
  const { host = "", ...others } = Object.fromEntries(request.headers);
  return new Response(
    `${request.method} ${pathname} ${host} ${Object.keys(others).sort()}\n`,
  );
}

async function sha256(bytes: Bytes): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", bytes);
  return new Uint8Array(digest).toHex();
}

async function withProxiedWeb(
  body: (server: FrontServer, url: string, files: string) => Promise<void>,
): Promise<void> {
  const files = await Deno.makeTempDir();
  try {
    await withWeb(answer, (target) =>
      withFront(
        { hosts: { "web.example": "127.0.0.1" } },
        (server) => body(server, `http://web.example:${target}`, files),
      ));
  } finally {
    await Deno.remove(files, { recursive: true });
  }
}

for (const [name, way] of WAYS) {
  Deno.test(`S4.5: curl ${name}: pages, downloads, uploads and HEAD`, {
    ignore,
  }, async () => {
    await withProxiedWeb(async ({ at, opener }, url, files) => {
      const host = new URL(url).host;
      assertEquals(
        await curl(
          ...way(at),
          `${url}/a`,
          `${url}/b`,
          `${url}/empty`,
          `${url}/c`,
        ),
        ["a", "b", "c"].map((path) =>
          `GET /${path} ${host} accept,user-agent\n`
        ).join(""),
      );
      for (const path of ["big", "stream"]) {
        const file = `${files}/${path}`;
        await curl(...way(at), "--output", file, `${url}/${path}`);
        const got = await Deno.readFile(file);
        assertEquals(got.length, BIG);
        assertEquals(await sha256(got), await sha256(pattern(BIG)));
      }
      const upload = `${files}/upload`;
      await Deno.writeFile(upload, pattern(BIG));
      const sum = `${await sha256(pattern(BIG))}\n`;
      for (
        const more of [
          ["--data-binary", `@${upload}`],
          ["--header", "Expect: 100-continue", "--data-binary", `@${upload}`],
          ["--upload-file", upload],
          // Of unknown length: in chunks.
          ["--header", "Transfer-Encoding: chunked", "--upload-file", upload],
        ]
      ) {
        assertEquals(await curl(...way(at), ...more, `${url}/sum`), sum);
      }
      const head = await curl(...way(at), "--head", `${url}/big`);
      assertMatch(head, /^HTTP\/1\.1 200 OK\r$/m);
      assertMatch(head, new RegExp(`^content-length: ${BIG}\r$`, "mi"));
      const names = new Set(opener.asked.map((each) => each.host));
      assertEquals([...names], ["web.example"]);
    });
  });

  Deno.test(`S4.3: curl ${name}: user and password are the isolation key`, {
    ignore,
  }, async () => {
    await withProxiedWeb(async ({ at, opener }, url) => {
      // SOCKS4 has no password, and curl then sends none.
      const password = name === "--socks4a" ? "" : "p w";
      await curl(...way(at), "--proxy-user", "someone:p w", `${url}/`);
      assertEquals(
        opener.asked.map(({ isolation }) => isolation),
        [JSON.stringify(["someone", password])],
      );
    });
  });
}

Deno.test(
  "S4.5: curl --socks5: addresses that curl has resolved, of both versions",
  { ignore },
  async () => {
    for (const address of ["127.0.0.1", "::1"]) {
      await withWeb(
        answer,
        (target) =>
          withFront({}, async ({ at, opener }) => {
            const host = address.includes(":") ? `[${address}]` : address;
            const url = `http://${host}:${target}/`;
            for (const way of ["--socks5", "--socks5-hostname", "--proxy"]) {
              assertMatch(await curl(way, at, "--globoff", url), /^GET \/ /);
            }
            for (const asked of opener.asked) assertEquals(asked.host, address);
            assertEquals(opener.asked.length, 3);
          }),
        address,
      );
    }
  },
);

Deno.test(
  "S4.5: curl: what cannot be reached is told as exactly as the protocol can",
  { ignore },
  async () => {
    await withFront({ hosts: {} }, async ({ at, opener }) => {
      const url = "http://nowhere.example/";
      // 97: could not connect through the proxy; 22: an HTTP status of 400 or more.
      const socks = await tryCurl("--socks5-hostname", at, url);
      assertEquals(socks.code, 97);
      assertMatch(socks.stderr, /\(4\)/);
      const http = await tryCurl("--proxy", at, url);
      assertEquals(http.code, 0);
      assertMatch(
        http.stdout,
        /^sotto: cannot reach nowhere\.example:80: the name/,
      );
      opener.fails = "exit-policy";
      const refused = await tryCurl("--proxytunnel", "--proxy", at, url);
      assert(refused.code !== 0);
      assertMatch(refused.stderr, /403/);
    });
  },
);

Deno.test("S4.5: curl keeps its connection to the front for several pages", {
  ignore,
}, async () => {
  await withProxiedWeb(async ({ at, opener, clients }, url) => {
    const said = await curl(
      ...["--proxy", at, "--write-out", "%{num_connects}\n"],
      ...[1, 2, 3, 4].map((i) => `${url}/${i}`),
    );
    const connects = said.split("\n").filter((line) => /^\d+$/.test(line));
    assertEquals(connects, ["1", "0", "0", "0"]);
    assertEquals(opener.asked.length, 1);
    assert(clients.size <= 1);
  });
});
