// @graphql-eslint on the schema at argv[2]: what breaks a rule, as JSON.
import { parser, rules } from '@graphql-eslint/eslint-plugin';
import { configs } from '@graphql-eslint/eslint-plugin';
import { Linter } from 'eslint';
import { readFileSync } from 'node:fs';

const path = process.argv[2];
const exceptions = JSON.parse(readFileSync(new URL('eslint_exceptions.json', import.meta.url)));
const chosen = {
  ...configs['flat/schema-recommended'].rules,
  ...configs['flat/schema-relay'].rules,
};
for (const [rule, { options, off }] of Object.entries(exceptions)) {
  if (!(rule in chosen)) throw new Error(`${rule} is no rule of these sets`);
  chosen[rule] = off ? 'off' : ['error', options];
}
const text = readFileSync(path, 'utf8');
const found = new Linter({ configType: 'flat' }).verify(
  text,
  [
    {
      files: ['**/*.graphql'],
      languageOptions: { parser, parserOptions: { graphQLConfig: { schema: path } } },
      plugins: { '@graphql-eslint': { rules } },
      rules: chosen,
    },
  ],
  { filename: 'schema.graphql' },
);
console.log(
  JSON.stringify({
    rules: Object.keys(chosen).length,
    found: found.map(({ ruleId, line, message }) => ({ ruleId, line, message })),
  }),
);
