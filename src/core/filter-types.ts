import type { Scalar } from './contracts.js';
import type { VirtualField } from './fields.js';
import type { FilterJson } from './types.js';

/**
 * The JSON form of filters over metadata of type `M`, so that a misspelt field or an operator that doesn't fit fails to compile:
 * lists take membership, booleans equality, numbers also ranges, strings also ranges and prefixes. Literal unions stay literal.
 * Metadata of any shape gives the untyped `FilterJson`.
 *
 * A variable with one right and one misspelt key still compiles, as everywhere in TypeScript; at run time a declared schema refuses it.
 * @example FilterOf<{ year?: number; tags: string[] }> // { year: { $gte: 2020 }, tags: { $contains: 'a' } }
 */
export type FilterOf<M> = string extends keyof M ? FilterJson : TypedFilter<M>;

type TypedFilter<M> = {
  readonly $and?: readonly TypedFilter<M>[];
  readonly $or?: readonly TypedFilter<M>[];
  readonly $not?: TypedFilter<M>;
} & { readonly [Name in keyof M & string]?: FieldFilter<NonNullable<M[Name]>> } & {
  readonly [Name in VirtualField]?: FieldFilter<string>;
};

/** Tuples keep `boolean` and literal unions in one piece, which a bare conditional type would take apart. */
type FieldFilter<Value> = [Value] extends [readonly (infer Item)[]]
  ? Membership<Item>
  : [Value] extends [boolean]
    ? Value | Equality<Value>
    : [Value] extends [number]
      ? Value | (Equality<Value> & Range<number>)
      : [Value] extends [string]
        ? Value | (Equality<Value> & Range<string> & { readonly $startsWith?: string })
        : [Value] extends [Scalar]
          ? Value | (Equality<Value> & Range<number | string> & { readonly $startsWith?: string })
          : never;

interface Presence {
  readonly $exists?: boolean;
}
interface Membership<Item> extends Presence {
  readonly $contains?: Item;
  readonly $containsAny?: readonly Item[];
}
interface Equality<Value> extends Presence {
  readonly $eq?: Value;
  readonly $ne?: Value;
  readonly $in?: readonly Value[];
  readonly $nin?: readonly Value[];
}
interface Range<Bound> {
  readonly $gt?: Bound;
  readonly $gte?: Bound;
  readonly $lt?: Bound;
  readonly $lte?: Bound;
}
