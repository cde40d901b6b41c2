// Writes api/*.txt: every name that a package entry exports, with its declaration and those it leads to, from the built types.
// With --check, fails where the files say otherwise: then a change of the interface was not meant, or wasn't said.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
/** Report by package entry. */
export const REPORTS = { '.': 'api/hotrag.txt', './server': 'api/server.txt', './adapters': 'api/adapters.txt' };

/** The report of one entry of package.json's `exports`. */
export function apiReport(entry, root = ROOT) {
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const file = resolve(root, manifest.exports[entry].types);
  const program = ts.createProgram([file], { module: ts.ModuleKind.NodeNext, skipLibCheck: true, types: ['node'], strict: true });
  const checker = program.getTypeChecker();
  const source = program.getSourceFile(file);
  if (source === undefined) throw new Error(`${file} is missing: run npm run build`);
  const printer = ts.createPrinter({ removeComments: true });
  const own = resolve(root, 'dist');

  const reached = new Map();
  const exported = checker
    .getExportsOfModule(checker.getSymbolAtLocation(source))
    .map((symbol) => ({ name: symbol.name, symbol: actual(symbol) }));
  for (const { symbol } of exported) reach(symbol);
  const names = new Map(exported.map(({ name, symbol }) => [symbol, name]));
  const declared = [...reached].map(([symbol, declarations]) => ({ name: names.get(symbol), own: symbol.name, declarations }));
  const [open, inner] = [declared.filter(({ name }) => name !== undefined), declared.filter(({ name }) => name === undefined)];
  const subject = entry === '.' ? manifest.name : `${manifest.name}${entry.slice(1)}`;
  return [
    `// What \`${subject}\` exports. Written by scripts/api-report.mjs from the built types; a change of it is a change of the interface.`,
    ...open
      .map(({ name, own: declaredAs, declarations }) => print(name === declaredAs ? '' : `// as ${name}\n`, declarations))
      .sort(compare),
    '// What those lead to.',
    ...inner.map(({ declarations }) => print('', declarations)).sort(compare),
    '',
  ].join('\n\n');

  function actual(symbol) {
    return symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
  }

  /** Everything of ours that a declaration names, and so on. */
  function reach(symbol) {
    if (reached.has(symbol)) return;
    const declarations = (symbol.declarations ?? [])
      .map(statementOf)
      .filter((node) => node?.getSourceFile().fileName.startsWith(own));
    if (declarations.length === 0) return;
    reached.set(symbol, declarations);
    for (const declaration of declarations) visit(declaration);
  }

  function visit(node) {
    if (ts.isIdentifier(node)) {
      const symbol = checker.getSymbolAtLocation(node);
      if (symbol !== undefined) reachTop(actual(symbol));
    }
    node.forEachChild(visit);
  }

  /** Members and parameters are printed with what they stand in. */
  function reachTop(symbol) {
    if (
      (symbol.declarations ?? []).some(
        (node) => statementOf(node) === (ts.isVariableDeclaration(node) ? node.parent.parent : node),
      )
    )
      reach(symbol);
  }

  function print(head, declarations) {
    const text = declarations.map((node) => printer.printNode(ts.EmitHint.Unspecified, node, node.getSourceFile())).join('\n');
    return head + text.replace(/^(?:export )?declare /gm, '').replace(/^export /gm, '');
  }
}

/** The statement at the top of its file that a node belongs to. */
function statementOf(node) {
  let found = node;
  while (found !== undefined && found.parent !== undefined && !ts.isSourceFile(found.parent)) found = found.parent;
  return found === undefined || ts.isSourceFile(found) ? undefined : found;
}

function compare(left, right) {
  return left < right ? -1 : left > right ? 1 : 0;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const [entry, path] of Object.entries(REPORTS)) {
    const report = apiReport(entry);
    if (!process.argv.includes('--check')) {
      mkdirSync(join(ROOT, 'api'), { recursive: true });
      writeFileSync(join(ROOT, path), report);
    } else if (!existsSync(join(ROOT, path)) || readFileSync(join(ROOT, path), 'utf8') !== report) {
      console.error(
        `${path} is not what is exported: was that meant? Then run node scripts/api-report.mjs, and say it in CHANGELOG.md`,
      );
      process.exitCode = 1;
    }
  }
}
