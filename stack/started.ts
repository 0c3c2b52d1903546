/** What was started and has to be ended, last first. */
export class Started {
  #ends: (() => Promise<unknown>)[] = [];

  /** Keeps how to end something, and returns the thing. */
  add<T>(thing: T, end: (thing: T) => Promise<unknown>): T {
    this.#ends.push(() => end(thing));
    return thing;
  }

  /** Ends everything, each once. One that fails keeps none of the others alive; the first failure is thrown. */
  async end(): Promise<void> {
    const failures: unknown[] = [];
    for (let end = this.#ends.pop(); end; end = this.#ends.pop()) {
      await end().catch((error) => failures.push(error));
    }
    if (failures.length > 0) throw failures[0];
  }
}
