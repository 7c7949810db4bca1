/**
 * Writes numbered texts to somebody until it is killed, and says of each on a line of its own when it
 * was `saved` here and when the server has `stored` it. Arguments: the person's address, what the texts
 * begin with.
 *
 * @module
 */
import { Online } from "../../../cmd/client/online.ts";
import { Profile } from "../../../cmd/client/profile.ts";
import { NO_ROUTE_FLAGS } from "../../../cmd/client/route.ts";
import { systemIo } from "../../../cmd/system_io.ts";
import { utf8 } from "../../../lib/protocol/mod.ts";

/** Between two texts at most, in milliseconds. */
const PAUSE = 30;

const [person = "", tag = ""] = Deno.args;
const io = systemIo(Deno.exit);
const profile = await Profile.open(io, {
  ...NO_ROUTE_FLAGS,
  profile: undefined,
  "passphrase-file": undefined,
});
const online = await Online.start(io, profile, {
  receive: true,
  onEvent: (event) => {
    if (event.kind !== "state" || event.entry.state !== "stored") return;
    tell(`stored ${event.entry.text}`);
  },
});
for (let count = 1;; count++) {
  const text = `${tag} ${count}`;
  await online.mailbox.send(person, text);
  tell(`saved ${text}`);
  const ms = Math.random() * PAUSE;
  await new Promise((resolve) => setTimeout(resolve, ms));
}

/** In the pipe before the next step, whatever happens to this process then. */
function tell(line: string): void {
  const bytes = utf8(`${line}\n`);
  let written = 0;
  while (written < bytes.length) {
    written += Deno.stdout.writeSync(bytes.subarray(written));
  }
}
