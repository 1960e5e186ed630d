/**
 * GraphQL documents are written beside the components that use them, as graphql(`…`).
 *
 * A page loads the documents that it uses and no others: each becomes a module of its own, which
 * imports the fragments that it spreads. The types of the client preset do not change by that.
 */
import { readFileSync } from 'node:fs';
import { Kind, parse, print, visit } from 'graphql';
import { globSync } from 'tinyglobby';

const WRITTEN = /\bgraphql\(\s*`([^`]*)`,?\s*\)/g;
const MODULE = 'virtual:graphql/';

/** @param {string} text @returns {string[]} */
export function documentsIn(text) {
  return [...text.matchAll(WRITTEN)].map((found) => found[1] ?? '');
}

/** @param {string} root The folder of the sources. */
export function allDocuments(root) {
  return globSync('**/*.{ts,tsx}', { cwd: root, ignore: ['api/generated/**'], absolute: true })
    .sort()
    .flatMap((path) => documentsIn(readFileSync(path, 'utf8')).map((text) => ({ path, text })));
}

/** @param {string} text @returns {import('graphql').OperationDefinitionNode | import('graphql').FragmentDefinitionNode} */
function definitionOf(text) {
  const { definitions } = parse(text, { noLocation: true });
  const [definition] = definitions;
  if (
    definitions.length !== 1 ||
    (definition?.kind !== Kind.OPERATION_DEFINITION &&
      definition?.kind !== Kind.FRAGMENT_DEFINITION) ||
    definition.name === undefined
  ) {
    throw new Error(`Write one named operation or fragment in each graphql(\`…\`):\n${text}`);
  }
  return definition;
}

/** @param {string} text */
function nameOf(text) {
  return definitionOf(text).name?.value ?? '';
}

/**
 * @param {{ root: string }} options
 * @returns {import('vite').Plugin}
 */
export function graphqlDocuments({ root }) {
  /** @type {Map<string, string>} */
  let documents = new Map();

  function read() {
    documents = new Map();
    for (const { path, text } of allDocuments(root)) {
      const name = nameOf(text);
      if (documents.has(name)) {
        throw new Error(`Two documents are named ${name}; the second is in ${path}`);
      }
      documents.set(name, text);
    }
  }

  return {
    name: 'graphql-documents',
    enforce: 'pre',
    buildStart: read,
    resolveId(id) {
      return id.startsWith(MODULE) ? `\0${id}` : null;
    },
    load(id) {
      if (!id.startsWith(`\0${MODULE}`)) {
        return null;
      }
      const name = id.slice(MODULE.length + 1);
      const text = documents.get(name);
      if (text === undefined) {
        throw new Error(`No graphql(\`…\`) defines ${name}`);
      }
      return moduleOf(text);
    },
    transform(code, id) {
      if (!id.startsWith(root) || !code.includes('graphql(`') || id.includes('/generated/')) {
        return null;
      }
      /** @type {string[]} */
      const imports = [];
      const replaced = code.replace(WRITTEN, (_call, text) => {
        const name = nameOf(text);
        imports.push(`import document${name} from '${MODULE}${name}';`);
        return `document${name}`;
      });
      // On the first line, so that the line numbers stay.
      return { code: imports.join(' ') + replaced, map: null };
    },
    handleHotUpdate({ file, server }) {
      if (file.startsWith(root)) {
        const before = JSON.stringify([...documents]);
        read();
        if (JSON.stringify([...documents]) !== before) {
          server.moduleGraph.invalidateAll();
          server.ws.send({ type: 'full-reload' });
          return [];
        }
      }
      return undefined;
    },
  };
}

/** @param {string} text */
function moduleOf(text) {
  const definition = definitionOf(text);
  /** @type {Set<string>} */
  const spread = new Set();
  visit(definition, {
    FragmentSpread(node) {
      spread.add(node.name.value);
    },
  });
  const lines = [...spread].map((name) => `import ${name} from '${MODULE}${name}';`);
  // As a template's parts: the text, and nothing between the fragments.
  const texts = [compact(print(definition)), ...[...spread].map(() => '')];
  const parts = [JSON.stringify(texts), ...spread].join(', ');
  return `import { gql } from '@urql/core';\n${lines.join('\n')}\nexport default /* @__PURE__ */ gql(${parts});\n`;
}

/** @param {string} text */
function compact(text) {
  return text.replace(/\s+/g, ' ');
}
