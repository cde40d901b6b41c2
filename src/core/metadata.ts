import type { Field, FieldType, Metadata, Scalar } from './contracts.js';
import { invalidInput, nearestName } from './errors.js';
import { fieldNameProblem } from './fields.js';
import { describeValue, isPlainObject, isScalar, pathTo, scalarProblem, shown } from './values.js';

/** Metadata found in a document, and what of it was left out. */
export interface ConvertedMetadata {
  readonly metadata: Metadata;
  readonly warnings: readonly string[];
}

/**
 * Takes metadata that a caller gave, strictly: servers would coerce silently what isn't refused here. Null and undefined fields are
 * dropped, everything else is copied or refused.
 *
 * @param fields declared fields: any other name or type is refused. @default none: any field
 * @throws RagError INPUT_INVALID naming the path
 * @example checkMetadata({ year: 2020, tags: ['a'], note: null }, 'metadata') // { year: 2020, tags: ['a'] }
 */
export function checkMetadata(value: unknown, path: string, fields?: readonly Field[]): Metadata {
  if (value === undefined) return {};
  if (!isPlainObject(value)) throw invalidInput(path, `must be an object, got ${describeValue(value)}`);
  const metadata: Record<string, Scalar | readonly Scalar[]> = {};
  for (const [name, field] of Object.entries(value)) {
    const problem = fieldNameProblem(name) ?? (fields && undeclaredProblem(name, fields));
    if (problem !== undefined) throw invalidInput(pathTo(path, name), problem);
    if (field === null || field === undefined) continue;
    const taken = take(field, declaredType(name, fields));
    if (typeof taken === 'object' && 'problem' in taken) throw invalidInput(pathTo(path, name) + taken.at, taken.problem);
    metadata[name] = taken;
  }
  return metadata;
}

/**
 * Takes metadata that stands in a document (front matter), leniently; never throws. A Date becomes its ISO 8601 text in UTC, date only
 * when it is midnight. Null is dropped. What fits no field (nested objects, lists of several kinds, a declared field of another type,
 * a reserved name) is left out with a warning that names it.
 */
export function convertMetadata(value: unknown, fields?: readonly Field[]): ConvertedMetadata {
  if (value === undefined || value === null) return { metadata: {}, warnings: [] };
  if (!isPlainObject(value)) {
    return { metadata: {}, warnings: [`the metadata was left out: must be an object, got ${describeValue(value)}`] };
  }
  const metadata: Record<string, Scalar | readonly Scalar[]> = {};
  const warnings: string[] = [];
  for (const [name, field] of Object.entries(value)) {
    if (field === null || field === undefined) continue;
    const nameProblem = fieldNameProblem(name);
    const taken = nameProblem === undefined ? take(withoutDates(field), declaredType(name, fields)) : refusal(nameProblem);
    if (typeof taken === 'object' && 'problem' in taken) {
      warnings.push(`metadata field ${shown(name)} was left out: ${taken.problem}`);
    } else {
      metadata[name] = taken;
    }
  }
  return { metadata, warnings };
}

/** Why a value can't be had; `at` leads from the field to the part that is wrong. */
interface Refusal {
  readonly problem: string;
  readonly at: string;
}

function refusal(problem: string, at = ''): Refusal {
  return { problem, at };
}

function take(value: unknown, type: FieldType | undefined): Scalar | readonly Scalar[] | Refusal {
  const taken = Array.isArray(value) ? takeList(value) : isScalar(value) ? value : refusal(fieldProblem(value));
  if (type === undefined || (typeof taken === 'object' && 'problem' in taken)) return taken;
  const fits = Array.isArray(taken)
    ? type.endsWith('[]') && (taken.length === 0 || `${typeof taken[0]}[]` === type)
    : typeof taken === type;
  return fits ? taken : refusal(`must be a ${type}, as the field is declared, got ${listKind(taken)}`);
}

function takeList(values: readonly unknown[]): readonly Scalar[] | Refusal {
  const taken: Scalar[] = [];
  // `entries` gives a hole as undefined, which is refused; `map` or `every` would pass over it.
  for (const [index, value] of values.entries()) {
    if (!isScalar(value)) return refusal(scalarProblem(value), `[${index}]`);
    const [first] = taken;
    if (first !== undefined && typeof value !== typeof first) {
      return refusal(
        `a list holds values of one kind, this one ${describeValue(first)} and ${describeValue(value)}`,
        `[${index}]`,
      );
    }
    taken.push(value);
  }
  return taken;
}

function withoutDates(value: unknown): unknown {
  if (Array.isArray(value)) return value.map((item) => (item instanceof Date ? dateText(item) : item));
  return value instanceof Date ? dateText(value) : value;
}

/** An invalid Date stays what it is, and is then refused. */
function dateText(date: Date): string | Date {
  if (Number.isNaN(date.getTime())) return date;
  const text = date.toISOString();
  return text.endsWith('T00:00:00.000Z') ? text.slice(0, text.indexOf('T')) : text;
}

function declaredType(name: string, fields: readonly Field[] | undefined): FieldType | undefined {
  return fields?.find((field) => field.name === name)?.type;
}

function undeclaredProblem(name: string, fields: readonly Field[]): string | undefined {
  const names = fields.map((field) => field.name);
  if (names.includes(name)) return undefined;
  const near = nearestName(name, names);
  return `unknown field ${shown(name)}; ${near === undefined ? `declared: ${names.slice(0, 20).join(', ')}` : `did you mean ${shown(near)}?`}`;
}

function fieldProblem(value: unknown): string {
  if (typeof value === 'string' || typeof value === 'number') return scalarProblem(value);
  return `must be a string, a number, a boolean or a list of one of these, got ${describeValue(value)}`;
}

function listKind(value: Scalar | readonly Scalar[]): string {
  if (typeof value !== 'object') return describeValue(value);
  return `a list, of ${describeValue(value[0])} first`;
}
