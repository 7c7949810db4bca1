import { assertEquals } from "@std/assert";
import { Peers } from "../../../../cmd/client/private/peers.ts";
import {
  lossAfter,
  lossPerRound,
  PrivacyBudget,
  RoundKind,
  RunMode,
} from "../../../../lib/mix/mod.ts";
import type { ChainView, ConversationView } from "../../../../lib/mix/mod.ts";

const WEAK = { mean: 20, scale: 5 };
const STRONG = { mean: 3_000, scale: 150 };

function chain(kind: RoundKind, ...noises: typeof WEAK[]): ChainView {
  const mixes = noises.map((noise, i) => ({ fingerprint: `${i}`, noise }));
  return { kind, mode: RunMode.ROUNDS, period: 2_000, slots: 3, mixes };
}

function view(address: string, generation: number): ConversationView {
  return { address, stage: "talking", generation } as ConversationView;
}

Deno.test("S3.8: rounds cost what the weakest noise that counts says, each kind by itself", () => {
  const peers = new Peers("alice@local");
  const bob = peers.of("bob@local");
  // The last mix adds none, whatever its level.
  peers.promised(chain(RoundKind.EXCHANGE, STRONG, WEAK, STRONG));
  peers.promised(chain(RoundKind.DIALING, STRONG, STRONG, WEAK));
  for (const outcome of ["exchanged", "absent", "failed", "unknown"] as const) {
    peers.round(bob, outcome);
  }
  assertEquals(bob.budget.rounds, 4);
  assertEquals(bob.budget.spent(), lossAfter(4, WEAK));
  peers.round(bob, "late");
  assertEquals(bob.budget.rounds, 4);
  peers.spend(bob, RoundKind.DIALING);
  const expected = new PrivacyBudget();
  expected.spend(lossPerRound(WEAK), 4);
  expected.spend(lossPerRound(STRONG, RoundKind.DIALING));
  assertEquals(bob.budget.spent(), expected.spent());
});

Deno.test("peers: who is away is told of once, and when they are back", () => {
  const peers = new Peers("alice@local");
  const bob = peers.of("bob@local");
  bob.stage = "talking";
  const told = [
    ...Array<"absent">(20).fill("absent"),
    "exchanged",
    "absent",
    "exchanged",
  ] as const;
  const said = told.map((outcome) => peers.round(bob, outcome))
    .filter((each) => each !== undefined);
  assertEquals(said, [
    "bob was not there in the last 8 rounds; what you say waits",
    "bob is back",
  ]);
  for (let i = 0; i < 8; i++) peers.round(bob, "absent");
  bob.stage = "over";
  assertEquals(peers.round(bob, "exchanged"), undefined);
  bob.stage = "calling";
  assertEquals(
    told.map((outcome) => peers.round(bob, outcome)).some(Boolean),
    false,
  );
});

Deno.test("peers: they stand as the line says, and are over when it knows them no more", () => {
  const peers = new Peers("alice@local");
  peers.follow([view("bob@local", 1), view("carol@elsewhere", 0)]);
  const names = peers.held.map(({ name, standing }) => [name, standing]);
  assertEquals(names, [["bob", "private"], ["carol@elsewhere", "securing"]]);
  peers.follow([view("bob@local", 2)]);
  assertEquals(peers.held.map(({ standing }) => standing), [
    "private, quantum-safe",
  ]);
  assertEquals(peers.get("carol@elsewhere")?.standing, "over");
  assertEquals(peers.get("dave@local"), undefined);
});
