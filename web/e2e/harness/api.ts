/** The API as an application uses it, with a token. */
// biome-ignore lint/suspicious/noExplicitAny: each test knows what it asked for
type Answer = any;

export class Api {
  readonly #url: string;
  readonly token: string;

  constructor(url: string, token: string) {
    this.#url = url;
    this.token = token;
  }

  /** The data of an answer; throws if there are errors, or userErrors anywhere at its top. */
  async ask(query: string, variables: Record<string, unknown> = {}): Promise<Answer> {
    const answer = await fetch(`${this.#url}/graphql`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${this.token}` },
      body: JSON.stringify({ query, variables }),
    });
    const { data, errors } = (await answer.json()) as { data: Answer; errors?: unknown };
    const refused = Object.values(data ?? {}).flatMap(
      (each) => (each as { userErrors?: unknown[] } | null)?.userErrors ?? [],
    );
    if (errors !== undefined || refused.length > 0) {
      throw new Error(JSON.stringify(errors ?? refused));
    }
    return data;
  }

  /** Sends events of some units each; answers when they are stored. */
  async send(events: readonly UnitsEvent[]): Promise<void> {
    const { eventsIngest } = await this.ask(
      `mutation Send($events: [EventInput!]!) {
        eventsIngest(input: { events: $events }) { inserted userErrors { message path } }
      }`,
      {
        events: events.map(({ name, customer, units, region, timestamp }) => ({
          name,
          externalCustomerId: customer,
          metadata: { units, ...(region !== undefined && { region }) },
          ...(timestamp !== undefined && { timestamp }),
        })),
      },
    );
    if (eventsIngest.inserted !== events.length) {
      throw new Error(`${eventsIngest.inserted} of ${events.length} events were inserted`);
    }
  }
}

export interface UnitsEvent {
  name: string;
  customer: string;
  units: number;
  region?: string;
  timestamp?: string;
}
