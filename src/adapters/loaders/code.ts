import type { Loader } from '../../core/contracts.js';
import { declaredEncoding } from './declared.js';
import { decodeText, emptyWarnings } from './decode.js';
import { extensionOf, fileName } from './names.js';

/** Language → extensions. The language is the document's format. */
const EXTENSIONS: Readonly<Record<string, string>> = {
  assembly: 'asm s',
  c: 'c h',
  clojure: 'clj cljs cljc edn',
  cpp: 'cc cpp cxx c++ hh hpp hxx',
  csharp: 'cs',
  css: 'css scss sass less',
  dart: 'dart',
  elixir: 'ex exs',
  erlang: 'erl hrl',
  fortran: 'f f90 f95',
  go: 'go',
  graphql: 'graphql gql',
  groovy: 'groovy gradle',
  haskell: 'hs',
  ini: 'ini cfg conf properties env',
  java: 'java',
  javascript: 'js mjs cjs jsx',
  jsonc: 'jsonc json5',
  julia: 'jl',
  kotlin: 'kt kts',
  lua: 'lua',
  objectivec: 'm mm',
  ocaml: 'ml mli',
  perl: 'pl pm',
  php: 'php',
  powershell: 'ps1 psm1',
  protobuf: 'proto',
  python: 'py pyi pyw',
  r: 'r',
  ruby: 'rb rake',
  rust: 'rs',
  scala: 'scala sc',
  shell: 'sh bash zsh fish',
  sql: 'sql',
  svelte: 'svelte',
  swift: 'swift',
  terraform: 'tf tfvars',
  toml: 'toml',
  typescript: 'ts mts cts tsx',
  vue: 'vue',
  xml: 'xml xsd xsl svg plist',
  yaml: 'yaml yml',
  zig: 'zig',
};

/** Files that are known by their whole name, in lower case. */
const NAMES: Readonly<Record<string, string>> = {
  dockerfile: 'dockerfile',
  containerfile: 'dockerfile',
  makefile: 'makefile',
  gnumakefile: 'makefile',
  'cmakelists.txt': 'cmake',
  gemfile: 'ruby',
  rakefile: 'ruby',
  jenkinsfile: 'groovy',
};

const LANGUAGES: ReadonlyMap<string, string> = new Map(
  Object.entries(EXTENSIONS).flatMap(([language, extensions]) =>
    extensions.split(' ').map((extension) => [extension, language] as const),
  ),
);

/** Source code and configuration as they stand; the format is the language. */
export function createCodeLoader(): Loader {
  return {
    id: 'code@1',
    accepts: (uri) => languageOf(uri) !== undefined,
    async load(source, { signal } = {}) {
      const format = languageOf(source.uri) ?? 'text';
      const declared = format === 'xml' ? declaredEncoding(source.bytes) : undefined;
      const { text, warnings } = await decodeText(source, { signal, declared });
      return { text, format, metadata: {}, warnings: [...warnings, ...emptyWarnings(text)] };
    },
  };
}

/** The language of a file by its name, or undefined. */
function languageOf(uri: string): string | undefined {
  const name = fileName(uri).toLowerCase();
  // These hold comments, which JSON has none of.
  if (/^(?:ts|js)config(?:\..*)?\.json$/.test(name)) return 'jsonc';
  return (Object.hasOwn(NAMES, name) ? NAMES[name] : undefined) ?? LANGUAGES.get(extensionOf(uri));
}
