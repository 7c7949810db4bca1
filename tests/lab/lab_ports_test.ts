import { assert, assertEquals, assertRejects } from "@std/assert";
import { LabError } from "../../lib/lab/mod.ts";
import type { Launch } from "../../lib/lab/mod.ts";
import { raiseLab } from "../../lib/lab/mod.ts";
import { processesIn } from "./processes.ts";
import { sourceLaunch } from "./source_lab.ts";

// Between the moment in which a port is found free and the one in which a member listens there, somebody
// else may take it: another lab that is raised at the same time, say.

Deno.test("lab: members whose ports others take meanwhile get other ones", async () => {
  await using thief = new Thief(await sourceLaunch(), [
    "controller-2",
    "relay-1",
    "server",
    "proxy",
  ]);
  await using lab = await raiseLab({
    launch: thief.launch,
    controllers: 2,
    relays: 3,
  });
  assertEquals(thief.stolen.length, 4);
  for (const { name, listen } of thief.stolen) {
    assert(lab.members.get(name)?.running);
    assert(!lab.logs(name).includes(listen), name);
  }
  const all = lab.controllers.join(" ");
  assert(!all.includes(thief.stolen[0]!.listen), "told others its old address");
});

Deno.test("lab: one that others know by its port does not move", async () => {
  const directory = await Deno.makeTempDir({ prefix: "sotto-test-" });
  const options = { directory, relays: 3, proxy: false, server: false };
  try {
    const launch = await sourceLaunch();
    const first = await raiseLab({ launch, ...options });
    await first.close();
    await using thief = new Thief(launch, ["controller-1"]);
    const error = await assertRejects(
      () => raiseLab({ launch: thief.launch, ...options }),
      LabError,
      "Cannot use controller-1: it ended with code 1",
    );
    assert(error.logs.get("controller-1")?.includes("address already in use"));
    assertEquals(await processesIn(directory), []);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

/** Listens where some members are told to, just before they are started for the first time. */
class Thief implements AsyncDisposable {
  readonly stolen: { readonly name: string; readonly listen: string }[] = [];
  readonly #launch: Launch;
  readonly #victims: Set<string>;
  readonly #listeners: Deno.Listener[] = [];

  constructor(launch: Launch, victims: readonly string[]) {
    this.#launch = launch;
    this.#victims = new Set(victims);
  }

  readonly launch: Launch = (name, args, env) => {
    if (this.#victims.delete(name)) {
      const listen = args[args.indexOf("--listen") + 1]!;
      const [hostname = "", port] = listen.split(":");
      this.#listeners.push(Deno.listen({ hostname, port: Number(port) }));
      this.stolen.push({ name, listen });
    }
    return this.#launch(name, args, env);
  };

  [Symbol.asyncDispose](): Promise<void> {
    for (const listener of this.#listeners) listener.close();
    return Promise.resolve();
  }
}
