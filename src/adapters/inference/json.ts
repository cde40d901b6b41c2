/** The fields of an object that came as JSON. */
export type Fields = Readonly<Record<string, unknown>>;

/** Whatever is no object has no fields: replies of servers are read field by field, each checked where it is used. */
export function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? (value as Fields) : {}; // any object is one
}

/** A count or time that a server tells, or null for anything else. */
export function countOf(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : null;
}
