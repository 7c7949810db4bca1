import { assertEquals, assertMatch } from "@std/assert";
import { withTcp, withWeb } from "../../onion/front/front_server.ts";
import type { TestWorld } from "../../support/test_io.ts";
import { DirectOnion } from "./direct_onion.ts";
import { fails, fetched, withDirectory } from "./fetched.ts";

Deno.test("S4.8: redirects are followed, unless they shall not be", async () => {
  await withWeb((request) => {
    const { pathname } = new URL(request.url);
    return pathname === "/from"
      ? new Response("moved", { status: 302, headers: { location: "/to" } })
      : new Response("here");
  }, async (port) => {
    const onion = new DirectOnion();
    const url = `http://web.example:${port}/from`;
    assertEquals((await fetched(onion, [url])).out, "here");
    const { out } = await fetched(onion, [url, "--no-redirect", "-i"]);
    assertMatch(out, /^HTTP 302 Found\n[^]*^location: \/to\n[^]*\n\nmoved$/m);
  });
  await withWeb(
    () =>
      new Response(null, {
        status: 302,
        headers: { location: "file:///etc/hostname" },
      }),
    (port) =>
      fails(
        new DirectOnion(),
        [`http://web.example:${port}/`],
        /^cannot follow a redirect: it leads out of the web$/,
      ).then(() => {}),
  );
});

Deno.test("S4.8: a redirect takes along what it may, and nobody else's secrets", async () => {
  const seen: string[] = [];
  await withWeb(async (request) => {
    const { pathname, searchParams, port } = new URL(request.url);
    const { headers, method } = request;
    const shown = ["authorization", "cookie", "x-a", "content-type"]
      .map((name) => headers.get(name) ?? "-").join(" ");
    seen.push(`${method} ${pathname} ${shown} ${await request.text()}`);
    const [, status = "", host = ""] = pathname.split("/");
    const location = host === ""
      ? "/done"
      : `http://${host}:${port}/done?${searchParams}`;
    return /^30\d$/.test(status)
      ? new Response(null, { status: Number(status), headers: { location } })
      : new Response("done");
  }, async (port) => {
    const onion = new DirectOnion();
    const more = ["-H", "Cookie: c", "-H", "X-A: a"];
    const go = async (path: string, ...args: string[]) => {
      seen.length = 0;
      const url = `http://u:p%3A@web.example:${port}${path}`;
      assertEquals((await fetched(onion, [url, ...args])).out, "done");
      return seen[1];
    };
    const basic = `Basic ${btoa("u:p:")}`;
    assertEquals(await go("/302", ...more), `GET /done ${basic} c a - `);
    assertEquals(await go("/302/other.example", ...more), "GET /done - - a - ");
    const post = ["--data", "body", "-H", "Content-Type: t/t"];
    for (const status of [301, 302, 303]) {
      assertEquals(
        await go(`/${status}`, ...post),
        `GET /done ${basic} - - - `,
      );
    }
    for (const status of [307, 308]) {
      assertEquals(
        await go(`/${status}`, ...post),
        `POST /done ${basic} - - t/t body`,
      );
    }
    assertEquals(
      await go("/302", ...post, "--method", "PUT"),
      `PUT /done ${basic} - - t/t body`,
    );
  });
  let requests = 0;
  await withWeb(() => {
    requests++;
    return new Response(null, { status: 302, headers: { location: "/" } });
  }, async (port) => {
    const says = /^cannot follow redirects: there are more than 20$/;
    await fails(new DirectOnion(), [`http://web.example:${port}/`], says);
    assertEquals(requests, 21);
  });
});

/** Answers every connection with `text` as it is, and ends it. */
function saying(text: string): (connection: Deno.TcpConn) => Promise<void> {
  return async (connection) => {
    await connection.read(new Uint8Array(1_000));
    await connection.write(new TextEncoder().encode(text));
  };
}

for (
  const [text, expected] of [
    ["HTTP/1.0 200 OK\r\n\r\nto the end", "to the end"],
    ["HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok and more", "ok"],
    [
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" +
      "2;x=y\r\nab\r\n1\r\nc\r\n0\r\nTrailer: t\r\n\r\nmore",
      "abc",
    ],
    ["HTTP/1.1 204 No Content\r\n\r\nnone", ""],
  ] as const
) {
  Deno.test(`S4.8: a response is read to its end and no further: ${JSON.stringify(text).slice(0, 50)}`, async () => {
    await withTcp(saying(text), async (port) => {
      const onion = new DirectOnion();
      const { out } = await fetched(onion, [`http://web.example:${port}/`]);
      assertEquals(out, expected);
    });
  });
}

for (
  const [text, says] of [
    ["", /: the server did not answer$/],
    ["nonsense\r\n\r\n", /: the server does not speak HTTP/],
    ["HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab", /ended too early$/],
    ["HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", /does not speak HTTP/],
    [
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab",
      /does not speak HTTP/,
    ],
    ["HTTP/1.1 206 Partial Content\r\n\r\n", /a part that does not fit$/],
    ["HTTP/1.1 101 Switching Protocols\r\n\r\n", /does not speak HTTP/],
  ] as const
) {
  Deno.test(`S4.8: no response: ${JSON.stringify(text).slice(0, 60)}`, async () => {
    await withTcp(saying(text), async (port) => {
      const url = `http://web.example:${port}/`;
      await fails(new DirectOnion(), [url, "--retries", "0", "-q"], says);
    });
  });
}

Deno.test("S4.8: methods, header fields and bodies as the person says", async () => {
  await withWeb(async (request) => {
    const { method, headers } = request;
    const shown = ["content-type", "x-a", "user-agent"]
      .map((name) => headers.get(name)).join("|");
    return new Response(`${method} ${shown} ${await request.text()}`);
  }, (port) =>
    withDirectory(async (directory) => {
      const onion = new DirectOnion();
      const url = `http://web.example:${port}/`;
      const form = "application/x-www-form-urlencoded";
      const say = async (args: string[], world: TestWorld = {}) =>
        (await fetched(onion, [url, ...args], world)).out;
      assertEquals(
        await say(["--data", "a=b"]),
        `POST ${form}||sotto a=b`,
      );
      await Deno.writeTextFile(`${directory}/data`, "from a file");
      assertEquals(
        await say([
          ...["--data", `@${directory}/data`, "--method", "PUT"],
          ...["-H", "Content-Type: text/plain", "-H", "x-a: 1", "-H", "X-A:2"],
          ...["-H", "user-agent: other"],
        ]),
        "PUT text/plain|1, 2|other from a file",
      );
      assertEquals(
        await say(["--data", "@-"], { stdin: ["from ", "a pipe"] }),
        `POST ${form}||sotto from a pipe`,
      );
      assertEquals(await say(["--method", "DELETE"]), "DELETE ||sotto ");
      const head = await say(["--method", "HEAD", "--include"]);
      assertMatch(head, /^HTTP 200 OK\n[^]*^content-length: \d+\n[^]*\n\n$/m);
    }));
});
