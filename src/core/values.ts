import type { Scalar } from './contracts.js';
import { once } from './once.js';

/** Under `u`, a whole pair is one character and no surrogate. */
const halfPair = once(() => /\p{Surrogate}/u);

/** True where a text holds no half of a surrogate pair. That has no UTF-8 form: servers would store another text, and two ids would be one. */
export function isWellFormed(text: string): boolean {
  return !halfPair().test(text);
}

/** The zero vector stands for none: a text without a known word is near to nothing. */
export function isZeroVector(vector: Float32Array): boolean {
  return vector.every((component) => component === 0);
}

/** A plain object, of whatever realm: not an array, a Date, a Map or an instance of a class. */
export function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

/** A string, finite number or boolean that every store gives back as it was. */
export function isScalar(value: unknown): value is Scalar {
  if (typeof value === 'string') return isWellFormed(value);
  return typeof value === 'number' ? Number.isFinite(value) : typeof value === 'boolean';
}

/** What to tell of a value that `isScalar` refuses. */
export function scalarProblem(value: unknown): string {
  if (typeof value === 'string') return 'must be well-formed Unicode; it holds half a surrogate pair';
  if (typeof value === 'number') return `must be a finite number, got ${value}`;
  return `must be a string, a number or a boolean, got ${describeValue(value)}`;
}

/** Names a value for a message, without repeating much of it. @example describeValue([]) // 'an array' */
export function describeValue(value: unknown): string {
  if (typeof value === 'string') return isWellFormed(value) ? 'a string' : 'a string with half a surrogate pair';
  if (value === null || typeof value === 'undefined') return String(value);
  if (typeof value === 'number') return Number.isFinite(value) ? 'a number' : String(value);
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'object') return isPlainObject(value) ? 'an object' : `a ${shownName(value)}`;
  return `a ${typeof value}`;
}

/** Quotes a caller's text for a message, cut where it is long. */
export function shown(text: string): string {
  return JSON.stringify(text.length > 64 ? `${text.slice(0, 64)}…` : text);
}

/** The path of a key. @example pathTo('filter', 'a.b') // 'filter["a.b"]' */
export function pathTo(path: string, key: string): string {
  return /^[$\p{L}_][\p{L}\p{N}_-]{0,63}$/u.test(key) ? `${path}.${key}` : `${path}[${shown(key)}]`;
}

function shownName(value: object): string {
  const maker: unknown = value.constructor;
  return typeof maker === 'function' && maker.name !== '' ? maker.name.slice(0, 64) : 'special object';
}
