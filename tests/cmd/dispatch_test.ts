import { assert, assertEquals, assertRejects } from "@std/assert";
import type { CommandTable } from "../../cmd/dispatch.ts";
import { dispatch } from "../../cmd/dispatch.ts";
import { UsageError } from "../../cmd/errors.ts";
import type { Command } from "../../cmd/io.ts";
import { testIo } from "../support/test_io.ts";

const GROUP = { name: "sotto", about: "About.", more: "Examples" };

function tableWith(loaded: string[]): CommandTable {
  const inner: CommandTable = {
    send: entry("send", { usage: "send usage\n" }),
  };
  const client = { name: "sotto client", about: "Client." };
  function entry(
    name: string,
    command: Partial<Command>,
  ): CommandTable[string] {
    return {
      summary: `does ${name}`,
      load() {
        loaded.push(name);
        return Promise.resolve({
          usage: `${name} usage\n`,
          async run(args, io) {
            await io.stdout.write(`${name}(${args})\n`);
            return 7;
          },
          ...command,
        });
      },
    };
  }
  return {
    server: entry("server", {}),
    client: entry("client", {
      group: true,
      run: (args, io) => dispatch(client, inner, args, io),
    }),
  };
}

async function run(
  ...args: string[]
): Promise<{ out: string; code: number; loaded: string[] }> {
  const io = testIo();
  const loaded: string[] = [];
  const code = await dispatch(GROUP, tableWith(loaded), args, io);
  return { out: io.out, code, loaded };
}

Deno.test("dispatch: the command gets the rest, and its code comes back", async () => {
  assertEquals(await run("server", "--data", "x"), {
    out: "server(--data,x)\n",
    code: 7,
    loaded: ["server"],
  });
});

Deno.test("dispatch: help of the group lists the commands and loads none", async () => {
  const { out, code, loaded } = await run("--help");
  assert(out.includes("  server  does server\n  client  does client\n"));
  assertEquals([code, loaded], [0, []]);
  assertEquals((await run("help")).out, out);
  assertEquals((await run("-h")).out, out);
});

Deno.test("dispatch: help of a command, in every place", async () => {
  for (
    const args of [
      ["server", "--help"],
      ["server", "x", "-h"],
      ["help", "server"],
    ]
  ) {
    const { out, code } = await run(...args);
    assertEquals([out, code], ["server usage\n", 0]);
  }
  assertEquals(
    (await run("server", "--", "--help")).out,
    "server(--,--help)\n",
  );
});

Deno.test("dispatch: a group below answers for its own commands", async () => {
  assertEquals((await run("client", "--help")).out, "client usage\n");
  assertEquals((await run("client", "send", "--help")).out, "send usage\n");
  assertEquals((await run("help", "client", "send")).out, "send usage\n");
  assertEquals((await run("client", "send", "hi")).out, "send(hi)\n");
});

const WRONG: readonly (readonly [string[], string, string])[] = [
  [[], "a command is missing", "see sotto --help"],
  [["sever"], "unknown command sotto sever", "did you mean sotto server?"],
  [["what"], "unknown command sotto what", "see sotto --help"],
  [["toString"], "unknown command sotto toString", "see sotto --help"],
  [["--jsn"], "unknown command sotto --jsn", "see sotto --help"],
  [
    ["client", "sned"],
    "unknown command sotto client sned",
    "did you mean sotto client send?",
  ],
];

for (const [args, message, hint] of WRONG) {
  Deno.test(`dispatch: ${JSON.stringify(args)} is used wrongly`, async () => {
    const error = await assertRejects(() => run(...args), UsageError);
    assertEquals([error.message, error.hint], [message, hint]);
  });
}
