/**
 * Makes a value when it is first asked for. Also for patterns with Unicode properties and the like: compiling them takes
 * milliseconds each, which a process that has just begun hasn't got.
 */
export function once<Value>(make: () => Value): () => Value {
  let made: { readonly value: Value } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}
