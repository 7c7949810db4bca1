/** The home of a person in a lab's directory. */
export function personHome(directory: string, name: string): string {
  return `${directory}/people/${name}`;
}

/** What must be set in the environment of a person's commands. */
export function personEnvironment(
  directory: string,
  name: string,
  controllers: readonly string[],
): Record<string, string> {
  return {
    SOTTO_HOME: personHome(directory, name),
    SOTTO_CONTROLLERS: controllers.join(" "),
  };
}
