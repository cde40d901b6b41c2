import type { Metadata } from '../../core/contracts.js';
import { messageOf } from '../../core/errors.js';
import { convertMetadata } from '../../core/metadata.js';

/** A longer one is no front matter that a person wrote, and parsing it would hold the event loop. UTF-16 units. */
const MAX_CHARS = 65_536;

export interface FrontMatter {
  /** The text with the front matter blanked out, so that line numbers stay those of the file; or the whole text when it wasn't taken. */
  readonly text: string;
  readonly metadata: Metadata;
  readonly warnings: readonly string[];
}

/**
 * Takes the YAML between `---` and `---` (or `...`) at the top of a text as metadata. Never fails and never runs anything: what can't
 * be taken (`---js`, broken YAML, a list) stays in the text, with a warning. A `---` that is never closed is a rule, not front matter.
 */
export async function takeFrontMatter(text: string): Promise<FrontMatter> {
  const opening = /^---([^\S\n]*\S*)[^\S\n]*\n/.exec(text);
  if (opening === null) return untouched(text);
  const start = opening[0].length;
  const closing = /^(?:---|\.\.\.)[^\S\n]*(?:\n|$)/m.exec(text.slice(start, start + MAX_CHARS));
  if (closing === null) return untouched(text);
  const language = (opening[1] ?? '').trim();
  if (language !== '' && language !== 'yaml') {
    return untouched(text, `front matter in ${JSON.stringify(language)} is not read, only YAML; it stays in the text`);
  }
  const end = start + closing.index + closing[0].length;
  const parsed = await parseYaml(text.slice(start, start + closing.index));
  if ('problem' in parsed) return untouched(text, `the front matter stays in the text: ${parsed.problem}`);
  const { metadata, warnings } = convertMetadata(parsed.value);
  return { text: text.slice(0, end).replace(/[^\n]+/g, '') + text.slice(end), metadata, warnings };
}

function untouched(text: string, ...warnings: readonly string[]): FrontMatter {
  return { text, metadata: {}, warnings };
}

/** YAML 1.2, core schema: dates stay text, and no tag makes anything but data. */
async function parseYaml(yaml: string): Promise<{ readonly value: unknown } | { readonly problem: string }> {
  const { parseDocument } = await import('yaml');
  try {
    // Silent, because it would print its own warnings.
    const document = parseDocument(yaml, { logLevel: 'silent', schema: 'core' });
    const [error] = document.errors;
    if (error !== undefined) return { problem: `not valid YAML (${firstLine(error.message)})` };
    const value: unknown = document.toJS();
    if (value !== null && (typeof value !== 'object' || Array.isArray(value))) {
      return { problem: `YAML, but ${Array.isArray(value) ? 'a list' : `a ${typeof value}`} instead of names with values` };
    }
    return { value: value ?? {} };
  } catch (error) {
    return { problem: `not valid YAML (${firstLine(messageOf(error))})` }; // aliases that unfold without end
  }
}

function firstLine(message: string): string {
  return message.split('\n', 1)[0] ?? '';
}
