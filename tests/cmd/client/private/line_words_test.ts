import { assert, assertEquals, assertMatch } from "@std/assert";
import { lineObject } from "../../../../cmd/client/private/event_json.ts";
import { lineWords } from "../../../../cmd/client/private/line_words.ts";
import type { LineEvent } from "../../../../lib/mix/mod.ts";

const AT = Date.UTC(2026, 0, 1);
const ADDRESS = "bob@local";
const CALL = { address: ADDRESS, dialedAt: AT };

/** Every event, and what a person reads; nothing where that is shown in another way. */
const EVENTS: readonly (readonly [LineEvent, RegExp | undefined])[] = [
  [{ kind: "ringing", call: CALL }, /^bob is calling: \/accept bob/],
  [{ kind: "missed", call: CALL, busy: false }, /^missed a call of bob at /],
  [{ kind: "missed", call: CALL, busy: true }, /was told that you are busy$/],
  [{ kind: "dialed", address: ADDRESS, round: AT }, /^called bob in the round/],
  [{ kind: "unanswered", address: ADDRESS }, /^bob has not answered;/],
  [{ kind: "answered", address: ADDRESS }, /^bob is there$/],
  [
    { kind: "refused", address: ADDRESS, reason: "refused" },
    /does not want to talk now$/,
  ],
  [{ kind: "refused", address: ADDRESS, reason: "busy" }, /^bob has no room/],
  [
    { kind: "ended", address: ADDRESS, reason: "left", undelivered: 0 },
    /^the conversation with bob is over$/,
  ],
  [
    { kind: "ended", address: ADDRESS, reason: "left by peer", undelivered: 2 },
    /^bob has hung up; 2 of your texts may not have arrived$/,
  ],
  [
    { kind: "ended", address: ADDRESS, reason: "nobody there", undelivered: 0 },
    /^bob was not there any more$/,
  ],
  [
    { kind: "ended", address: ADDRESS, reason: "called anew", undelivered: 0 },
    /^another call/,
  ],
  [
    { kind: "text", address: ADDRESS, id: "00", text: "hi", sentAt: AT },
    undefined,
  ],
  [
    {
      kind: "state",
      address: ADDRESS,
      id: "00",
      state: "in round",
      round: AT,
    },
    undefined,
  ],
  [{ kind: "state", address: ADDRESS, id: "00", state: "queued" }, undefined],
  [{ kind: "generation", address: ADDRESS, generation: 1 }, /^secured: /],
  [{ kind: "generation", address: ADDRESS, generation: 2 }, /^quantum-safe/],
  [{ kind: "generation", address: ADDRESS, generation: 3 }, undefined],
  [
    { kind: "round", address: ADDRESS, round: AT, outcome: "garbled" },
    /opens under no key/,
  ],
  [
    { kind: "round", address: ADDRESS, round: AT, outcome: "exchanged" },
    undefined,
  ],
];

Deno.test("private line: what people read of each event", () => {
  for (const [event, expected] of EVENTS) {
    const words = lineWords(event, "bob");
    if (expected === undefined) assertEquals(words, undefined, event.kind);
    else assertMatch(words ?? "", expected);
  }
});

Deno.test("private line: programs get all of it, one line each, with whom and times as text", () => {
  for (const [event] of EVENTS) {
    const object = JSON.parse(JSON.stringify(lineObject(event)));
    assertEquals([object.event, object.with], [event.kind, ADDRESS]);
    for (const name of ["round", "dialedAt", "sentAt"]) {
      if (name in object) {
        assertEquals(object[name], "2026-01-01T00:00:00.000Z");
      }
    }
    assert(!("address" in object) && !("kind" in object));
  }
});
