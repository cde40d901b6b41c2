#!/usr/bin/env node
// Nothing is imported before this test, and its words are those of the first ES modules: an old Node says one line, not a syntax error.
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major > 20 || (major === 20 && minor >= 19)) {
  import('./process.js').then(({ runProcess }) => runProcess());
} else {
  process.stderr.write(`hotrag: needs Node 20.19 or newer; this is ${process.versions.node}\n`);
  process.exitCode = 1;
}
