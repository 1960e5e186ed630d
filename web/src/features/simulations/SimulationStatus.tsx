import type { SimulationStatus as Status } from '../../api/generated/graphql';
import { Badge } from '../../ui/Badge';

export function SimulationStatus({ status }: { status: Status }) {
  switch (status) {
    case 'RUNNING':
      return <Badge>Running</Badge>;
    case 'DONE':
      return <Badge tone="good">Done</Badge>;
    case 'FAILED':
      return <Badge tone="bad">Failed</Badge>;
  }
}
