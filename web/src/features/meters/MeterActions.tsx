import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { type FragmentType, graphql, readFragment } from '../../api/generated';
import { Button, buttonClass } from '../../ui/Button';
import { showToast } from '../../ui/Toast';
import { IfAllowed } from '../access/permissions';
import { Confirm } from '../forms/Confirm';

export const MeterActions_meter = graphql(`
  fragment MeterActions_meter on Meter {
    id
    name
    archivedAt
  }
`);

const MeterArchive = graphql(`
  mutation MeterArchive($input: MeterArchiveInput!) {
    meterArchive(input: $input) {
      meter {
        id
        archivedAt
      }
      userErrors {
        code
        message
        path
      }
    }
  }
`);

const MeterUnarchive = graphql(`
  mutation MeterUnarchive($input: MeterArchiveInput!) {
    meterUnarchive(input: $input) {
      meter {
        id
        archivedAt
      }
      userErrors {
        code
        message
        path
      }
    }
  }
`);

/** What can be done with a meter. */
export function MeterActions({ meter }: { meter: FragmentType<typeof MeterActions_meter> }) {
  const { id, name, archivedAt } = readFragment(MeterActions_meter, meter);
  const [isAsking, setAsking] = useState(false);
  const isArchived = archivedAt != null;
  return (
    <IfAllowed scope="METERS_WRITE">
      <Link to="/meters/$id/edit" params={{ id }} className={buttonClass()}>
        Edit
      </Link>
      <Button onClick={() => setAsking(true)}>{isArchived ? 'Unarchive' : 'Archive'}</Button>
      {isAsking && isArchived && (
        <Confirm
          title={`Unarchive ${name}?`}
          action="Unarchive meter"
          isDanger={false}
          mutation={MeterUnarchive}
          input={{ id }}
          answer={(data) => data.meterUnarchive}
          onDone={() => showToast(`${name} counts again, from where it stopped.`)}
          onClose={() => setAsking(false)}
        >
          <p>The meter counts the events that it missed, and then goes on.</p>
        </Confirm>
      )}
      {isAsking && !isArchived && (
        <Confirm
          title={`Archive ${name}?`}
          action="Archive meter"
          mutation={MeterArchive}
          input={{ id }}
          answer={(data) => data.meterArchive}
          onDone={() => showToast(`${name} is archived.`)}
          onClose={() => setAsking(false)}
        >
          <p>
            The meter stops counting and is no longer listed. Its usage so far stays. You can
            unarchive it later; it then counts the events that it missed.
          </p>
        </Confirm>
      )}
    </IfAllowed>
  );
}
