// npm cloudevents: its emitter in both modes, and a batch. Prints the answers as JSON.
import { CloudEvent, HTTP, Mode, emitterFor, httpTransport } from 'cloudevents';
import { authorization, url } from './api.mjs';

const sink = new URL('/events', url);
const made = (changes = {}) =>
  new CloudEvent({
    id: 'e1',
    source: 'https://gateway.example/eu',
    type: 'com.example.call',
    subject: 'acme',
    time: '2026-01-01T00:00:00.500Z',
    data: { tokens: 12.5, model: 'größer' },
    ...changes,
  });
const sending = (mode) => emitterFor(httpTransport(sink), { binding: HTTP, mode });
const headers = { authorization };

const answers = [];
for (const mode of [Mode.BINARY, Mode.STRUCTURED]) {
  const { body } = await sending(mode)(made(), { headers });
  answers.push(JSON.parse(body));
}
const bytes = made({
  id: 'e2',
  data: new TextEncoder().encode('{"tokens": 1}'),
  datacontenttype: 'application/json',
});
const { body } = await sending(Mode.STRUCTURED)(bytes, { headers });
answers.push(JSON.parse(body));

const batch = await fetch(sink, {
  method: 'POST',
  headers: { ...headers, 'content-type': 'application/cloudevents-batch+json' },
  body: JSON.stringify([made({ id: 'e3' }), made({ id: 'e4', subject: undefined })]),
});
console.log(JSON.stringify({ answers, batch: { status: batch.status, ...(await batch.json()) } }));
