import type { Lab } from "../../lib/lab/mod.ts";
import { printable } from "../printable.ts";
import { typedProgram } from "./program.ts";

/** All that is to be known of a lab, for programs. */
export function labData(
  lab: Lab,
  isTemporary: boolean,
): Record<string, unknown> {
  const { directory, controllers, network, server, proxy, plan } = lab;
  const members = [...lab.members.values()].map(({ name, pid }) => ({
    name,
    pid,
    address: addressOf(lab, name),
    home: lab.home(name),
    log: `${directory}/logs/${name}.log`,
  }));
  const people = plan.people.map((name) => ({
    name,
    home: lab.home(name),
    environment: lab.environment(name),
  }));
  return {
    directory,
    temporary: isTemporary,
    controllers,
    quorum: network.quorum,
    server,
    proxy,
    members,
    people,
    commands: labCommands(lab).map(({ text }) => text),
  };
}

/** The same for people: where everything is, then what to type. */
export function labText(lab: Lab, isTemporary: boolean): string {
  const { directory, plan } = lab;
  const width = Math.max(
    ...[...lab.members.keys(), ...plan.people].map((name) => name.length),
  );
  const end = isTemporary ? "removed at the end" : "kept";
  let text = `everything is in ${printable(directory)} (${end})\n\n`;
  for (const name of lab.members.keys()) {
    const address = addressOf(lab, name) ??
      `${plan.cover} clients that only send cover`;
    text += `${name.padEnd(width)}  ${address}\n`;
  }
  for (const name of plan.people) {
    text += `${name.padEnd(width)}  ${printable(lab.home(name))}\n`;
  }
  text += "\nIn another terminal:\n";
  for (const { about, text: command } of labCommands(lab)) {
    if (about !== "") text += `\n  # ${about}\n`;
    text += `  ${printable(command)}\n`;
  }
  return `${text}\nCtrl-C ends all of it.\n`;
}

/** Where a member is reached; the crowd is not. */
function addressOf(lab: Lab, name: string): string | undefined {
  if (name === "crowd") return undefined;
  return name === "proxy" ? lab.proxy : lab.address(name);
}

/** A command to paste, and what it is for; "" where it goes on with the one before. */
interface PastedCommand {
  readonly about: string;
  readonly text: string;
}

function labCommands(lab: Lab): PastedCommand[] {
  const { server, proxy, plan: { onion, people, mix } } = lab;
  const commands: PastedCommand[] = [];
  const add = (about: string, text: string) => commands.push({ about, text });
  const typed = typedProgram();
  if (typed !== "sotto") add("the program", `alias sotto='${typed}'`);
  add(
    "whom to believe about the relays",
    `export SOTTO_CONTROLLERS='${lab.controllers.join(" ")}'`,
  );
  add("", "sotto controller show");
  if (proxy === undefined) {
    add("a way into the onion", "sotto client proxy");
  } else {
    const url = "http://127.0.0.1:8000/";
    add("through three relays", `curl --socks5-hostname ${proxy} ${url}`);
    add("", `curl --proxy http://${proxy} ${url}`);
    add("", `chromium --proxy-server=socks5://${proxy}`);
    const home = quoted(lab.home("proxy"));
    add("the circuits", `SOTTO_HOME=${home} sotto client circuits`);
  }
  if (server !== undefined) add("the server", `sotto client ping ${server}`);
  for (const [index, name] of people.entries()) {
    const other = people[(index + 1) % people.length];
    const home = `SOTTO_HOME=${quoted(lab.home(name))}`;
    add(
      index === 0 ? "the people, each in a terminal of their own" : "",
      people.length === 1
        ? `${home} sotto client whoami`
        : `${home} sotto client chat ${other}`,
    );
  }
  const [first, second] = people;
  for (const [index, name] of people.slice(0, 2).entries()) {
    const other = index === 0 ? second : first;
    if (other === undefined) break;
    const about = mix === 1
      ? "the same, so that only the server could see who talks to whom"
      : `the same, so that no one sees who talks to whom (${mix} mixes, but little noise)`;
    add(
      index === 0 ? about : "",
      `SOTTO_HOME=${
        quoted(lab.home(name))
      } sotto client chat ${other} --private`,
    );
  }
  if (first !== undefined && second !== undefined && !onion) {
    const home = `SOTTO_HOME=${quoted(lab.home(first))}`;
    add(
      "the same, hiding from the server where they are",
      `${home} sotto client send ${second} hello --onion`,
    );
  }
  return commands;
}

/** As one word of a shell command. */
function quoted(text: string): string {
  return /^[\w./@:-]+$/.test(text)
    ? text
    : `'${text.replaceAll("'", "'\\''")}'`;
}
