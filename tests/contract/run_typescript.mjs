// Checks the types of a program and runs it.
import { rmSync, writeFileSync } from 'node:fs';
import ts from 'typescript';

const [, , path] = process.argv;
process.chdir(new URL('.', import.meta.url).pathname); // where the types are
const program = ts.createProgram([path], {
  module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext,
  target: ts.ScriptTarget.ES2022,
  strict: true,
  noEmit: true,
  types: ['node'],
});
const problems = ts.getPreEmitDiagnostics(program);
if (problems.length > 0) {
  const host = { getCanonicalFileName: (name) => name, getCurrentDirectory: () => '.', getNewLine: () => '\n' };
  console.error(ts.formatDiagnostics(problems, host));
  process.exit(1);
}
const source = ts.sys.readFile(path);
const { outputText } = ts.transpileModule(source, {
  compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 },
});
const compiled = `${path}.mjs`;
writeFileSync(compiled, outputText);
await import(compiled);
rmSync(compiled);
