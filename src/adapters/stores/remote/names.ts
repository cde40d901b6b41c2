import { createHash } from 'node:crypto';

export interface NameRules {
  /** Every name that the server takes as it is, and that leaves room for what the adapter appends. */
  readonly plain: RegExp;
  /** What stands for a character that the server refuses, and before the hash. */
  readonly filler: string;
  /** Characters that a name may have in any place. */
  readonly allowed: RegExp;
}

/** How an escaped name ends; a plain name that ends so is escaped too, or it could be another's escaped one. */
const HASH_END = /[0-9a-f]{24}$/;

/**
 * The server's name for a collection: the same where the server takes it, else a readable part and a hash. Two collections never
 * get one name.
 * @example tableName('notes', rules) // 'notes'
 * @example tableName('Mes notes', rules) // 'h-Mes-notes-5b0c…'
 */
export function tableName(collection: string, rules: NameRules): string {
  if (rules.plain.test(collection) && !HASH_END.test(collection)) return collection;
  const readable = [...collection].map((character) => (rules.allowed.test(character) ? character : rules.filler)).join('');
  const hash = createHash('sha256').update(collection).digest('hex').slice(0, 24);
  return `h${rules.filler}${readable.slice(0, 32)}${rules.filler}${hash}`;
}
