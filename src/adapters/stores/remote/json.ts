import { randomUUID } from 'node:crypto';
import type { Metadata } from '../../../core/contracts.js';

/** Stands for -0 until the text is made; nobody can have it in a text of theirs. */
const MINUS_ZERO = `-0 ${randomUUID()}`;

/**
 * JSON that reads back as exactly what it was made of. JSON has a -0 and `JSON.parse` reads it, but `JSON.stringify` writes 0.
 * @param value what is written; only its `metadata` can hold a -0
 */
export function toExactJson<Value extends { readonly metadata: Metadata }>(value: Value): string {
  if (!Object.values(value.metadata).some(holdsMinusZero)) return JSON.stringify(value);
  const text = JSON.stringify(value, (_, part: unknown) => (Object.is(part, -0) ? MINUS_ZERO : part));
  return text.replaceAll(JSON.stringify(MINUS_ZERO), '-0');
}

function holdsMinusZero(value: Metadata[string]): boolean {
  return typeof value === 'object' ? value.some((item) => Object.is(item, -0)) : Object.is(value, -0);
}
