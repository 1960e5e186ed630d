import { useState } from 'react';
import { serverUrl } from '../../api/page';
import { Code } from '../../ui/Code';
import { Segments } from '../../ui/Tabs';
import styles from './Events.module.css';

const WAYS = [
  { key: 'graphql', title: 'GraphQL' },
  { key: 'cloudevents', title: 'CloudEvents' },
  { key: 'polar', title: "Polar's API" },
  { key: 'python', title: 'Python' },
  { key: 'typescript', title: 'TypeScript' },
] as const;

type Way = (typeof WAYS)[number]['key'];

/** What sends an event: a command for each format that the server takes, and the clients. */
export function SendExamples() {
  const [way, setWay] = useState<Way>('graphql');
  return (
    <div className={styles.examples}>
      <Segments label="How to send it" options={WAYS} selected={way} onSelect={setWay} />
      <Code label="example" text={example(way)} />
    </div>
  );
}

function example(way: Way): string {
  switch (way) {
    case 'graphql': {
      const query =
        'mutation { eventsIngest(input: {events: [{name: \\"ai_usage\\", ' +
        'externalCustomerId: \\"acme\\", ' +
        'metadata: {model: \\"gpt-4.1\\", kind: \\"input\\", tokens: 812}}]}) { inserted } }';
      return command('graphql', 'application/json', `{"query": "${query}"}`);
    }
    case 'cloudevents':
      return command(
        'events',
        'application/cloudevents+json',
        '{"specversion": "1.0", "source": "/gateway", "id": "1", "type": "ai_usage", ' +
          '"subject": "acme", "data": {"model": "gpt-4.1", "kind": "input", "tokens": 812}}',
      );
    case 'polar':
      return command(
        'v1/events/ingest',
        'application/json',
        '{"events": [{"name": "ai_usage", "external_customer_id": "acme", ' +
          '"metadata": {"model": "gpt-4.1", "kind": "input", "tokens": 812}}]}',
      );
    case 'python':
      return `# pip install ./clients/python, in a clone of Metergraph
import os
from metergraph_client import Metergraph

with Metergraph("${serverUrl('').origin}", os.environ["TOKEN"]) as client:
    client.ingest(
        "ai_usage",
        external_customer_id="acme",
        metadata={"model": "gpt-4.1", "kind": "output", "tokens": 392},
    )`;
    case 'typescript':
      return `// clients/typescript/README.md says how to install it
import { Metergraph } from '@metergraph/client';

const client = new Metergraph({
  url: '${serverUrl('').origin}', token: process.env.TOKEN ?? '',
});
client.ingest({
  name: 'ai_usage',
  externalCustomerId: 'acme',
  metadata: { model: 'gpt-4.1', kind: 'output', tokens: 392 },
});
await client.close();`;
  }
}

function command(path: string, media: string, body: string): string {
  return `curl ${serverUrl(path).href} \\
  -H "Authorization: Bearer $TOKEN" \\
  -H "Content-Type: ${media}" \\
  -d '${body}'`;
}
