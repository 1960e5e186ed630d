import { useState } from 'react';
import { serverUrl } from '../../api/page';
import { Code } from '../../ui/Code';
import { Segments } from '../../ui/Tabs';
import styles from './Events.module.css';

const WAYS = [
  { key: 'graphql', title: 'GraphQL' },
  { key: 'cloudevents', title: 'CloudEvents' },
  { key: 'polar', title: "Polar's API" },
] as const;

type Way = (typeof WAYS)[number]['key'];

/** Commands that send an event, in each format that the server takes. */
export function SendExamples() {
  const [way, setWay] = useState<Way>('graphql');
  return (
    <div className={styles.examples}>
      <Segments label="Format" options={WAYS} selected={way} onSelect={setWay} />
      <Code label="command" text={example(way)} />
    </div>
  );
}

function example(way: Way): string {
  switch (way) {
    case 'graphql': {
      const query =
        'mutation { eventsIngest(input: {events: [{name: \\"ai_usage\\", ' +
        'externalCustomerId: \\"acme\\", metadata: {total_tokens: 1204}}]}) { inserted } }';
      return command('graphql', 'application/json', `{"query": "${query}"}`);
    }
    case 'cloudevents':
      return command(
        'events',
        'application/cloudevents+json',
        '{"specversion": "1.0", "source": "/gateway", "id": "1", "type": "ai_usage", ' +
          '"subject": "acme", "data": {"total_tokens": 1204}}',
      );
    case 'polar':
      return command(
        'v1/events/ingest',
        'application/json',
        '{"events": [{"name": "ai_usage", "external_customer_id": "acme", ' +
          '"metadata": {"total_tokens": 1204}}]}',
      );
  }
}

function command(path: string, media: string, body: string): string {
  return `curl ${serverUrl(path).href} \\
  -H "Authorization: Bearer $TOKEN" \\
  -H "Content-Type: ${media}" \\
  -d '${body}'`;
}
