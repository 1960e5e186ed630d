import { type ErrorComponentProps, Link, useRouter } from '@tanstack/react-router';
import { Button } from '../ui/Button';
import { Empty } from '../ui/Empty';
import { Card } from '../ui/Surface';

/** A bug of ours: the rest of the page goes on. */
export function Trouble({ error, reset }: ErrorComponentProps) {
  const router = useRouter();
  return (
    <Card flush>
      <div role="alert">
        <Empty
          isPage
          title="This page has a bug"
          action={
            <Button
              onClick={() => {
                reset();
                router.invalidate();
              }}
            >
              Try again
            </Button>
          }
        >
          It could not be shown. Please report it with this message: <code>{String(error)}</code>
        </Empty>
      </div>
    </Card>
  );
}

export function NotFound() {
  return (
    <Card flush>
      <Empty isPage title="There is no such page" action={<Link to="/">Go to the overview</Link>}>
        The link may be incomplete.
      </Empty>
    </Card>
  );
}
