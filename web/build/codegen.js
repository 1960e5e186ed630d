/** Writes the types of the documents in src/ into src/api/generated/, from ../schema.graphql. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { preset } from '@graphql-codegen/client-preset';
import { codegen } from '@graphql-codegen/core';
import { buildSchema, parse } from 'graphql';
import { allDocuments } from './documents.js';

const WEB = dirname(dirname(fileURLToPath(import.meta.url)));
const SOURCES = join(WEB, 'src');
const TARGET = join(SOURCES, 'api', 'generated');

/** Scalars travel as JSON: exact decimals and instants as strings, whole minor units as numbers. */
const SCALARS = {
  BigInt: 'number',
  ClauseValue: 'string | number | boolean',
  CurrencyCode: 'string',
  DateTime: 'string',
  Decimal: 'string',
  JSONObject: 'Record<string, unknown>',
};

export async function generateTypes() {
  const text = readFileSync(join(WEB, '..', 'schema.graphql'), 'utf8');
  const schemaAst = buildSchema(text);
  const documents = allDocuments(SOURCES).map(({ path, text: source }) => ({
    location: path,
    document: parse(source),
    rawSDL: source,
  }));
  const outputs = await preset.buildGeneratesSection({
    baseOutputDir: `${TARGET}/`,
    presetConfig: { fragmentMasking: { unmaskFunctionName: 'readFragment' } },
    config: {
      scalars: SCALARS,
      enumType: 'string-literal',
      enumsAsTypes: true,
      useTypeImports: true,
      strictScalars: true,
    },
    schema: parse(text),
    schemaAst,
    documents,
    plugins: [],
    pluginMap: {},
    pluginContext: {},
  });
  mkdirSync(TARGET, { recursive: true });
  for (const output of outputs) {
    writeIfChanged(output.filename, await codegen({ ...output, skipDocumentsValidation: false }));
  }
}

/** @param {string} path @param {string} text */
function writeIfChanged(path, text) {
  try {
    if (readFileSync(path, 'utf8') === text) {
      return;
    }
  } catch {
    // It is not there yet.
  }
  writeFileSync(path, text);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await generateTypes();
}
