/** A person's end of a conversation. */
export interface Conversation {
  /** What the person enters, message by message, until they end it or the run is interrupted. */
  messages(): AsyncIterable<string>;
  /**
   * Prints `text` above the prompt. It must be harmless already (`printableLines`); colours are allowed
   * if `colours` says so.
   *
   * @returns Its name for {@linkcode Conversation.change}.
   */
  print(text: string): number;
  /** Puts `text` in the place of what was printed; prints it again below if that is out of reach. */
  change(id: number, text: string): void;
  /** Shows another prompt. */
  setPrompt(prompt: string): void;
  /** Whether a person looks at it, so that colours mean something. */
  readonly colours: boolean;
  /** Takes the prompt away and leaves the terminal as it was; waits until all is written. */
  close(): Promise<void>;
}
