/** From a callback to a loop: texts are kept until they are asked for. As many as one answer has, so its tokens are the bound. */
export interface TextQueue {
  readonly push: (text: string) => void;
  readonly end: () => void;
  readonly fail: (error: unknown) => void;
  /** The next texts, joined; undefined at the end. @throws what `fail` was given, after all texts */
  next(): Promise<string | undefined>;
}

export function createTextQueue(): TextQueue {
  let kept = '';
  let over: { readonly error?: unknown; readonly failed: boolean } | undefined;
  let wake = () => {};

  return {
    push(text) {
      kept += text;
      wake();
    },
    end() {
      over ??= { failed: false };
      wake();
    },
    fail(error) {
      over ??= { failed: true, error };
      wake();
    },
    async next() {
      while (kept === '' && over === undefined) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      if (kept !== '') {
        const text = kept;
        kept = '';
        return text;
      }
      if (over?.failed) throw over.error;
      return undefined;
    },
  };
}
