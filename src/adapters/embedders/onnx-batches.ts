/** Inputs that are run together: more of them gained nothing on processors, and make the thread deaf for longer. */
const MOST_INPUTS = 8;
/** Tokens of them all, padding included. */
const MOST_TOKENS = 1024;

/** Parts of a text's tokens, none longer than that and all of about the same length: a short rest would count too much. */
export function windowsOf(tokens: readonly number[], longest: number): readonly (readonly number[])[] {
  const count = Math.max(1, Math.ceil(tokens.length / longest));
  const size = Math.ceil(tokens.length / count);
  return Array.from({ length: count }, (_, index) => tokens.slice(index * size, (index + 1) * size));
}

/** Runs of inputs of like length, so that little is padded: shortest first. */
export function batchesByLength<Input extends { readonly tokens: readonly number[] }>(
  inputs: readonly Input[],
): readonly (readonly Input[])[] {
  const sorted = inputs.toSorted((left, right) => left.tokens.length - right.tokens.length);
  const batches: Input[][] = [];
  for (const input of sorted) {
    const last = batches.at(-1);
    const fits = last !== undefined && last.length < MOST_INPUTS && (last.length + 1) * input.tokens.length <= MOST_TOKENS;
    if (fits) last.push(input);
    else batches.push([input]);
  }
  return batches;
}
