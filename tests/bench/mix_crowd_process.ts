/**
 * A crowd whose onions are made ahead, in a process of its own. Argument: how many mixes the chain has. It
 * says how many seconds an onion takes to make. Asked to `prepare`, it connects so many clients, makes their
 * onions, and says when the first exchange round starts; asked to `run`, it takes part in all rounds and
 * says what became of those of exchange.
 *
 * @module
 */
import { connectToEntry } from "../../lib/lab/crowd/connect_to_entry.ts";
import { RoundKind } from "../../lib/mix/round.ts";
import { identitiesOf, parseNode, parseNodes } from "./mix_links.ts";
import { PreparedCrowd, secondsPerOnion } from "./mix_prepared_crowd.ts";
import { answerQuestions, numberOf } from "./subprocess.ts";
import type { Json } from "./subprocess.ts";

if (import.meta.main) await main(Number(Deno.args[0]));

async function main(mixes: number): Promise<void> {
  let crowd: PreparedCrowd | undefined;
  await answerQuestions(
    { seconds: await secondsPerOnion(mixes) },
    async (question) => {
      if (question.ask === "prepare") {
        crowd = await prepared(question);
        const starts = exchangeOf(crowd).map(({ start }) => start);
        return { first: Math.min(...starts) };
      }
      await crowd!.run();
      return {
        gone: crowd!.gone,
        rounds: exchangeOf(crowd!).map(
          ({ start, closesAt, done, late, failed, lastAt }) => ({
            done,
            late,
            failed,
            took: lastAt - start,
            afterWindow: lastAt - closesAt,
          }),
        ),
        wrong: await crowd!.wrongReplies(),
      };
    },
  );
  await crowd?.close();
}

async function prepared(question: Json): Promise<PreparedCrowd> {
  const entry = await parseNode(question.entry as Json);
  const others = await parseNodes(question.mixes);
  const crowd = new PreparedCrowd({
    size: numberOf(question, "size"),
    connect: () =>
      connectToEntry(
        { hostname: "127.0.0.1", port: entry.port },
        entry.certificate,
      ),
    identityOf: identitiesOf([entry, ...others]),
    checks: question.checks === true,
  });
  await crowd.prepare();
  return crowd;
}

function exchangeOf(crowd: PreparedCrowd) {
  return crowd.rounds.filter(({ kind }) => kind === RoundKind.EXCHANGE);
}
